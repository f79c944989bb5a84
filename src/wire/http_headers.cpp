#include "wire/http_headers.hpp"

#include <algorithm>
#include <string>

#include "wire/ascii.hpp"

namespace byway::wire {
namespace {

/// RFC 9110 section 5.6.2: tchar.
bool is_token_byte(char byte) noexcept {
  if (is_ascii_digit(byte) || (ascii_lower(byte) >= 'a' && ascii_lower(byte) <= 'z')) return true;
  return byte != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(byte) != std::string_view::npos;
}

constexpr std::string_view reserved[] = {
    "accept",
    "accept-encoding",
    "api-key",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-api-key",
    "x-goog-api-key",
};

}  // namespace

bool is_header_name(std::string_view name) noexcept {
  return !name.empty() && std::all_of(name.begin(), name.end(), is_token_byte);
}

bool is_header_value(std::string_view value) noexcept {
  return std::all_of(value.begin(), value.end(),
                     [](char byte) { return byte == '\t' || (byte >= 0x20 && byte < 0x7F); });
}

bool is_reserved_header(std::string_view name) noexcept {
  if (begins_with_lower(name, "proxy-")) return true;
  return std::any_of(std::begin(reserved), std::end(reserved),
                     [&](std::string_view word) { return equals_lower(name, word); });
}

bool is_byway_header(std::string_view name) noexcept {
  return begins_with_lower(name, "x-byway-");
}

Result<HeaderVerdict> check_request_header(std::string_view name, std::string_view value) {
  if (!is_header_name(name)) {
    return Error(ErrorCode::request_header_invalid,
                 "a header name is empty or holds a byte that is no token character");
  }
  if (!is_header_value(value)) {
    return Error(ErrorCode::request_header_invalid,
                 "the value of header \"" + std::string(name) +
                     "\" holds a byte that is not visible ASCII, space or tab");
  }
  if (is_byway_header(name)) return HeaderVerdict::strip;
  if (is_reserved_header(name)) {
    return Error(ErrorCode::request_header_reserved,
                 "header \"" + std::string(name) + "\" may only be set by Byway: leave it out");
  }
  return HeaderVerdict::send;
}

}  // namespace byway::wire
