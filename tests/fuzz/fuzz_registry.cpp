// Any text is a registry or is refused with a line; what is read is written and read back the same.
#include <string>

#include "fuzz_target.hpp"
#include "registry/toml_file.hpp"

BYWAY_FUZZ(registry) {
  using namespace byway;
  using byway::fuzz::require;
  const auto read = registry::parse_registry(input, "fuzz.toml");
  if (!read) {
    const ErrorCode code = read.error().code();
    require(code == ErrorCode::registry_invalid_file || code == ErrorCode::registry_needs_store);
    require(read.error().message().find("fuzz.toml") != std::string::npos);
    return;
  }
  const auto again = registry::parse_registry(registry::write_registry(*read), "again.toml");
  require(again.has_value());
  require(again->aliases == read->aliases);
  require(again->endpoints.size() == read->endpoints.size());
  for (std::size_t at = 0; at < read->endpoints.size(); ++at) {
    require(again->endpoints[at].settings == read->endpoints[at].settings);
    require(again->endpoints[at].key == read->endpoints[at].key);
  }
}
