#include "router/header_prefix.hpp"

#include <algorithm>

#include "wire/http_headers.hpp"

namespace byway::router {

Result<void> check_header_prefix(std::string_view prefix) {
  constexpr std::size_t bytes_min = 4;
  constexpr std::size_t bytes_max = 64;
  const bool has_capital = std::any_of(prefix.begin(), prefix.end(),
                                       [](char byte) { return byte >= 'A' && byte <= 'Z'; });
  const bool has_ends = prefix.starts_with("x-") && prefix.ends_with('-');
  const bool has_length = prefix.size() >= bytes_min && prefix.size() <= bytes_max;
  if (has_ends && has_length && !has_capital && wire::is_header_name(prefix)) return {};
  return Error(ErrorCode::request_header_invalid,
               "a header prefix must be x-, a name and -, such as x-byway-: an HTTP token of at "
               "most 64 bytes without capitals");
}

}  // namespace byway::router
