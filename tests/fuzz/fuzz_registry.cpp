// Any text is a registry or is refused with a line; what is read is written and read back the same.
#include <string>

#include "fuzz_target.hpp"
#include "registry/toml_file.hpp"

BYWAY_FUZZ(registry) {
  using namespace byway;
  using byway::fuzz::require;
  const auto endpoints = registry::parse_registry(input, "fuzz.toml");
  if (!endpoints) {
    const ErrorCode code = endpoints.error().code();
    require(code == ErrorCode::registry_invalid_file || code == ErrorCode::registry_needs_store);
    require(endpoints.error().message().find("fuzz.toml") != std::string::npos);
    return;
  }
  const std::string written = registry::write_registry(*endpoints);
  const auto again = registry::parse_registry(written, "again.toml");
  require(again.has_value());
  require(again->size() == endpoints->size());
  for (std::size_t at = 0; at < endpoints->size(); ++at) {
    require((*again)[at].settings == (*endpoints)[at].settings);
    require((*again)[at].key == (*endpoints)[at].key);
  }
}
