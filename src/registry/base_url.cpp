#include "registry/base_url.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include "wire/operation_url.hpp"

namespace byway::registry {
namespace {

constexpr std::size_t url_bytes_max = 4096;

Error refuse(ErrorCode code, std::string message) {
  ErrorFields fields{.code = code};
  fields.message = "base_url: " + std::move(message);
  fields.param = "base_url";
  return Error(std::move(fields));
}
Error invalid(std::string message) {
  return refuse(ErrorCode::registry_url_invalid, std::move(message));
}
Error blocked(std::string message) {
  return refuse(ErrorCode::net_ssrf_blocked, std::move(message));
}

bool is_digit(char byte) noexcept {
  return byte >= '0' && byte <= '9';
}
bool is_hex(char byte) noexcept {
  return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}
bool is_letter(char byte) noexcept {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}
std::string lower(std::string_view text) {
  std::string result(text);
  for (char& byte : result) {
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
  }
  return result;
}

/// The parts of a URL as our grammar cuts them.
struct Parts {
  std::string scheme;
  std::string_view host;
  bool is_bracketed = false;
  std::optional<std::string_view> port;
  std::string_view path;
  std::string_view query;
};

Result<void> check_bytes(std::string_view text) {
  if (text.empty()) return invalid("is empty; give one such as https://host/v1");
  if (text.size() > url_bytes_max) return invalid("is longer than 4096 bytes");
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    if (code >= 0x80) {
      return invalid(
          "holds a byte that is not ASCII; write the host as punycode (xn--...), the "
          "rest percent-encoded");
    }
    if (code <= 0x20 || code == 0x7f) return invalid("holds a space or a control character");
    if (byte == '\\') return invalid("holds a backslash");
    if (byte == '#') return invalid("holds a fragment (#...); leave it out");
  }
  return {};
}

Result<Parts> cut(std::string_view text) {
  Parts parts;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.substr(colon, 3) != "://") {
    return invalid("has no scheme; write https://host/...");
  }
  parts.scheme = lower(text.substr(0, colon));
  if (parts.scheme != "https" && parts.scheme != "http") {
    return invalid("has a scheme that is neither https nor http");
  }
  text.remove_prefix(colon + 3);
  std::string_view authority = text.substr(0, text.find_first_of("/?"));
  text.remove_prefix(authority.size());
  if (authority.find('@') != std::string_view::npos) {
    return invalid("holds a user name or password; keys go into the vault, not into the URL");
  }
  parts.path = text.substr(0, text.find('?'));
  if (parts.path.size() < text.size()) parts.query = text.substr(parts.path.size() + 1);
  std::size_t end = authority.find(':');
  if (authority.starts_with('[')) {
    end = authority.find(']');
    if (end == std::string_view::npos) return invalid("has a bracket without its other half");
    parts.is_bracketed = true;
    parts.host = authority.substr(1, end - 1);
    authority.remove_prefix(end + 1);
    end = 0;
    if (!authority.empty() && authority[0] != ':') return invalid("has text after the address");
  } else {
    parts.host = authority.substr(0, end);
  }
  if (end < authority.size()) parts.port = authority.substr(end + 1);
  if (parts.host.empty()) return invalid("has no host");
  return parts;
}

Result<std::uint16_t> read_port(const Parts& parts) {
  if (!parts.port) return static_cast<std::uint16_t>(parts.scheme == "https" ? 443 : 80);
  const std::string_view digits = *parts.port;
  std::uint16_t port = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool is_whole = fault == std::errc() && end == digits.data() + digits.size();
  if (!is_whole || port == 0 || digits[0] == '0') {
    return invalid("has a port that is not a number from 1 to 65535 without leading zeros");
  }
  return port;
}

/// One number of an IPv4 address in the spellings of the WHATWG URL standard: decimal, octal, hex.
std::optional<std::uint64_t> read_odd_number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    base = 16;
  } else if (text.size() > 1 && text[0] == '0') {
    text.remove_prefix(1);
    base = 8;
  }
  if (text.empty()) return base == 16 ? std::optional<std::uint64_t>(0) : std::nullopt;
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (fault != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

/// The address that browsers and resolvers make of "127.1", "0x7f.1" or "2130706433".
std::optional<Address> read_odd_address(std::string_view host) {
  std::uint64_t value = 0;
  for (std::size_t part = 0; part < 4; ++part) {
    const std::size_t dot = host.find('.');
    const auto number = read_odd_number(host.substr(0, dot));
    if (!number) return {};
    const bool is_last = dot == std::string_view::npos;
    const std::uint64_t limit = is_last ? std::uint64_t{1} << (8 * (4 - part)) : 256;
    if (*number >= limit) return {};
    value |= is_last ? *number : *number << (8 * (3 - part));
    if (is_last) {
      Address address;
      for (std::size_t at = 0; at < 4; ++at) {
        address.bytes[at] = static_cast<std::uint8_t>(value >> (8 * (3 - at)));
      }
      return address;
    }
    host.remove_prefix(dot + 1);
  }
  return {};
}

/// WHATWG URL, "ends in a number": such a host is an address or nothing.
bool ends_in_number(std::string_view host) {
  const std::string_view last = host.substr(host.rfind('.') + 1);
  if (std::all_of(last.begin(), last.end(), is_digit)) return true;
  const bool is_hexadecimal = last.starts_with("0x") || last.starts_with("0X");
  return is_hexadecimal && std::all_of(last.begin() + 2, last.end(), is_hex);
}

Result<void> check_name(std::string_view host) {
  if (host.size() > 253) return invalid("has a host of more than 253 characters");
  if (host.ends_with('.')) return invalid("has a host that ends in a dot");
  while (!host.empty()) {
    const std::string_view label = host.substr(0, host.find('.'));
    if (label.empty()) return invalid("has a host with an empty label (two dots, or one in front)");
    if (label.size() > 63) return invalid("has a host with a label of more than 63 characters");
    const bool is_plain = std::all_of(label.begin(), label.end(), [](char byte) {
      return is_letter(byte) || is_digit(byte) || byte == '-' || byte == '_';
    });
    if (!is_plain) return invalid("has a host with a character that no host name has");
    if (label.front() == '-' || label.back() == '-') {
      return invalid("has a host with a label that starts or ends with a hyphen");
    }
    host.remove_prefix(std::min(host.size(), label.size() + 1));
  }
  return {};
}

Result<void> judge(const Address& address, HostKind kind, const UrlRules& rules) {
  const AddressVerdict verdict = judge_address(address, kind, rules.allow_addresses);
  if (verdict == AddressVerdict::allowed) return {};
  std::string message = to_text(address) + " is " + std::string(describe(address));
  if (verdict == AddressVerdict::not_public) {
    message += "; list its range in allow_addresses if the endpoint really is there";
  }
  return blocked(std::move(message));
}

/// `[address]`, perhaps with a zone.
Result<std::string> read_bracketed(std::string_view text, const UrlRules& rules) {
  const std::size_t zone = text.find('%');
  const auto address = parse_address(text.substr(0, zone));
  if (!address || !address->is_v6) return invalid("has brackets around no IPv6 address");
  const HostKind kind = host_kind(to_text(*address));
  if (Result<void> judged = judge(*address, kind, rules); !judged) return judged.error();
  if (zone != std::string_view::npos) return invalid("has an address with a zone (%...)");
  return to_text(*address);
}

Result<std::string> read_host(const Parts& parts, const UrlRules& rules) {
  if (parts.is_bracketed) return read_bracketed(parts.host, rules);
  std::string host = lower(parts.host);
  if (Result<void> checked = check_name(host); !checked) return checked.error();
  if (is_metadata_name(host)) return blocked(host + " is a cloud metadata service");
  if (const auto address = parse_address(host)) {
    if (Result<void> judged = judge(*address, host_kind(host), rules); !judged) {
      return judged.error();
    }
    return host;
  }
  if (!ends_in_number(host)) return host;
  const auto odd = read_odd_address(host);
  if (!odd) return invalid("has a host that ends in a number and is no IPv4 address");
  if (Result<void> judged = judge(*odd, HostKind::ordinary, {}); !judged) return judged.error();
  return invalid("has an address in an odd spelling; write " + to_text(*odd));
}

/// Path and query: RFC 3986's characters, whole percent escapes, no escaped dot segments, which
/// browsers resolve and curl does not.
Result<void> check_rest(std::string_view path, std::string_view query) {
  for (const std::string_view part : {path, query}) {
    for (std::size_t at = 0; at < part.size(); ++at) {
      const char byte = part[at];
      if (byte == '%') {
        const bool is_whole = at + 2 < part.size() && is_hex(part[at + 1]) && is_hex(part[at + 2]);
        if (!is_whole) return invalid("has a % that no two hex digits follow");
      }
      constexpr std::string_view marks = "-._~!$&'()*+,;=:@/?%";
      if (!is_letter(byte) && !is_digit(byte) && marks.find(byte) == std::string_view::npos) {
        return invalid("has a character in its path or query that must be percent-encoded");
      }
    }
  }
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    std::string plain = lower(segment);
    for (std::size_t at = 0; (at = plain.find("%2e", at)) != std::string::npos;) {
      plain.replace(at, 3, ".");
    }
    if ((plain == "." || plain == "..") && plain != segment) {
      return invalid("has an escaped dot segment (%2e) in its path");
    }
    path.remove_prefix(segment.size());
  }
  return {};
}

/// What curl makes of a URL, part by part.
class CurlUrl {
 public:
  bool read(const std::string& text) {
    return url_ != nullptr && curl_url_set(url_.get(), CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
  }
  std::optional<std::string> part(CURLUPart part, unsigned flags = 0) const {
    char* text = nullptr;
    if (curl_url_get(url_.get(), part, &text, flags) != CURLUE_OK) return {};
    std::string copy(text);
    curl_free(text);
    return copy;
  }

 private:
  struct Free {
    void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
  };
  std::unique_ptr<CURLU, Free> url_{curl_url()};
};

bool curl_agrees(const BaseUrl& url) {
  CurlUrl read;
  if (!read.read(url.text)) return false;
  std::string host = lower(read.part(CURLUPART_HOST).value_or(""));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto address = parse_address(host);
  if (address) host = to_text(*address);
  return read.part(CURLUPART_SCHEME) == url.scheme && host == url.host &&
         read.part(CURLUPART_PORT, CURLU_DEFAULT_PORT) == std::to_string(url.port) &&
         !read.part(CURLUPART_USER) && !read.part(CURLUPART_PASSWORD) &&
         !read.part(CURLUPART_FRAGMENT) && !read.part(CURLUPART_ZONEID);
}

std::string without_trailing_slashes(std::string_view text) {
  const std::size_t query = text.find('?');
  std::string_view path = text.substr(0, query);
  while (path.ends_with('/')) path.remove_suffix(1);
  std::string result(path);
  if (query != std::string_view::npos && query + 1 < text.size()) result += text.substr(query);
  return result;
}

void tidy(BaseUrl& url, std::string_view text) {
  url.text = url.scheme + without_trailing_slashes(text.substr(url.scheme.size()));
  wire::StrippedUrl stripped = wire::strip_operation(url.text);
  if (stripped.suffix.empty()) return;
  url.text = without_trailing_slashes(stripped.base_url);
  url.warnings.push_back("base_url: \"" + stripped.suffix +
                         "\" at its end names an operation and was cut off");
}

}  // namespace

Result<BaseUrl> parse_base_url(std::string_view text, const UrlRules& rules) {
  if (Result<void> checked = check_bytes(text); !checked) return checked.error();
  Result<Parts> parts = cut(text);
  if (!parts) return parts.error();
  Result<std::uint16_t> port = read_port(*parts);
  if (!port) return port.error();
  Result<std::string> host = read_host(*parts, rules);
  if (!host) return host.error();
  if (Result<void> checked = check_rest(parts->path, parts->query); !checked) {
    return checked.error();
  }
  BaseUrl url;
  url.scheme = parts->scheme;
  url.host = *std::move(host);
  url.port = *port;
  url.kind = host_kind(url.host);
  if (url.scheme == "http" && url.kind == HostKind::ordinary && !rules.allow_insecure_http) {
    return refuse(ErrorCode::registry_url_insecure,
                  "plain http to " + url.host +
                      " would send the key and every prompt unencrypted; use https, or set "
                      "allow_insecure_http");
  }
  const std::string host_text = parts->is_bracketed ? "[" + url.host + "]" : url.host;
  url.origin = url.scheme + "://" + host_text + ":" + std::to_string(url.port);
  tidy(url, text);
  if (!curl_agrees(url)) return invalid("is read differently by curl");
  return url;
}

}  // namespace byway::registry
