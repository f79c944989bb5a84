// ModelId: byo:<slug>/<upstream-model>.
#pragma once

#include <string_view>

#include <byway/result.hpp>

namespace byway::wire {

/// Views into the parsed text. `upstream` is opaque: it goes to the server byte for byte.
struct ModelId {
  std::string_view slug = {};
  std::string_view upstream = {};
};

/// 3 to 40 characters, [a-z][a-z0-9-]*[a-z0-9].
bool is_slug(std::string_view text) noexcept;

/// Splits at the first '/'. Code: request_invalid_model.
Result<ModelId> parse_model_id(std::string_view text);

/// "byo:<slug>", as `models` takes it; what follows a '/' is given too, and may be absent. Code:
/// request_invalid_model.
Result<ModelId> parse_endpoint_id(std::string_view text);

/// What follows the first '/'; empty for none.
inline std::string_view upstream_of(std::string_view model_id) noexcept {
  const std::size_t slash = model_id.find('/');
  return slash == std::string_view::npos ? std::string_view() : model_id.substr(slash + 1);
}

}  // namespace byway::wire
