#include <byway/metadata_headers.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "router/header_prefix.hpp"

namespace byway {
namespace {

/// Servers and proxies refuse heads of more than 8 KiB or so.
constexpr std::size_t value_bytes_max = 1024;

bool is_fit(std::string_view value) noexcept {
  return !value.empty() && value.size() <= value_bytes_max &&
         std::all_of(value.begin(), value.end(),
                     [](char byte) { return byte >= 0x20 && byte < 0x7F; });
}

class HeaderList {
 public:
  explicit HeaderList(std::string_view prefix) : prefix_(prefix) {}

  void text(std::string_view name, std::string_view value) {
    if (is_fit(value)) add(name, std::string(value));
  }
  void number(std::string_view name, const std::optional<std::int64_t>& value) {
    if (value) add(name, std::to_string(*value));
  }
  std::vector<MetadataHeader> take() { return std::move(headers_); }

 private:
  void add(std::string_view name, std::string value) {
    headers_.push_back({std::string(prefix_).append(name), std::move(value)});
  }

  std::string_view prefix_;
  std::vector<MetadataHeader> headers_;
};

template <class Unit>
std::int64_t rounded(std::chrono::nanoseconds time) {
  return std::chrono::round<Unit>(time).count();
}

std::vector<MetadataHeader> list_of(const Metadata& metadata, std::string_view prefix) {
  HeaderList list(prefix);
  if (metadata.request_id.empty()) return list.take();
  list.text("provider", metadata.provider);
  list.text("model-served", metadata.model_served);
  list.text("request-id", metadata.request_id);
  list.number("latency-ms", rounded<std::chrono::milliseconds>(metadata.latency));
  list.number("overhead-us", rounded<std::chrono::microseconds>(metadata.overhead));
  list.number("attempts", metadata.attempts);
  if (metadata.is_fallback) list.text("fallback", "true");
  list.number("pii-redacted", metadata.pii_redacted);
  if (metadata.key_generation != 0) {
    list.text("key-generation", std::to_string(metadata.key_generation));
  }
  list.number("ratelimit-remaining-requests", metadata.remaining_requests);
  list.number("ratelimit-remaining-tokens", metadata.remaining_tokens);
  list.number("cap-remaining-day", metadata.cap_remaining_day);
  list.number("cap-remaining-month", metadata.cap_remaining_month);
  list.number("cap-remaining-tokens-day", metadata.cap_remaining_tokens_day);
  list.number("cap-remaining-tokens-month", metadata.cap_remaining_tokens_month);
  return list.take();
}

}  // namespace

Result<std::vector<MetadataHeader>> headers_of(const Response& response, std::string_view prefix) {
  if (auto good = router::check_header_prefix(prefix); !good) return good.error();
  return list_of(response.metadata(), prefix);
}

Result<std::vector<MetadataHeader>> headers_of(const Error& error, std::string_view prefix) {
  if (auto good = router::check_header_prefix(prefix); !good) return good.error();
  std::vector<MetadataHeader> headers = list_of(error.metadata(), prefix);
  if (const auto wait = error.retry_after()) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait).count();
    headers.push_back({"Retry-After", std::to_string(std::max<std::int64_t>(0, seconds))});
  }
  return headers;
}

}  // namespace byway
