// Any text is a dialect or is refused with one code, and a dialect makes URLs for what it offers.
#include <string>

#include "fuzz_target.hpp"
#include "wire/dialect.hpp"
#include "wire/operation_url.hpp"

BYWAY_FUZZ(dialect) {
  using namespace byway;
  using namespace byway::wire;
  using byway::fuzz::require;
  const auto dialect = parse_dialect(input);
  if (!dialect) {
    require(dialect.error().code() == ErrorCode::registry_field_invalid);
    require(!dialect.error().message().empty());
    return;
  }
  for (int number = 0; number < 6; ++number) {
    const auto operation = static_cast<Operation>(number);
    const auto url = operation_url("https://h/v1?a=b", *dialect, operation, "m/x");
    require(url.has_value() == dialect->paths[static_cast<std::size_t>(number)].has_value());
    if (url) require(url->starts_with("https://h/") && url->find('{') == std::string::npos);
  }
  require(probe_url("https://h/v1", *dialect).starts_with("https://h/"));
  require(parse_dialect("{}", dialect->name).has_value() || preset(dialect->name) == nullptr);
}
