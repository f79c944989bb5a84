#include "router/header_prefix.hpp"

#include <algorithm>

#include "wire/http_headers.hpp"

namespace byway::router {

Result<void> check_header_prefix(std::string_view prefix) {
  constexpr std::size_t bytes_max = 64;
  const bool has_capital = std::any_of(prefix.begin(), prefix.end(),
                                       [](char byte) { return byte >= 'A' && byte <= 'Z'; });
  if (wire::is_header_name(prefix) && !has_capital && prefix.size() <= bytes_max) return {};
  return Error(ErrorCode::request_header_invalid,
               "a header prefix must be an HTTP token of 1 to 64 bytes without capitals, such as "
               "x-byway-");
}

}  // namespace byway::router
