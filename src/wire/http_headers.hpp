// Rules for the headers that a caller may set, and a view of those that came back.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include <byway/result.hpp>

namespace byway::wire {

/// RFC 9110 section 5.6.2: a token.
bool is_header_name(std::string_view name) noexcept;
/// Visible ASCII, space and tab; stricter than RFC 9110, which lets bytes over 127 pass.
bool is_header_value(std::string_view value) noexcept;
/// Whether only Byway may set it: what frames or addresses the message, what carries keys, what
/// says the form of the body. Any case.
bool is_reserved_header(std::string_view name) noexcept;
/// x-byway-...: never crosses, either way. Any case.
bool is_byway_header(std::string_view name) noexcept;

enum class HeaderVerdict : std::uint8_t { send, strip };

/// What becomes of a caller's header. The message of an error never holds the value. Codes:
/// request_header_invalid, request_header_reserved.
Result<HeaderVerdict> check_request_header(std::string_view name, std::string_view value);

/// The headers of an answer, by lower-case name: a view of anything with `value(name)`, or of a
/// span of pairs, which must outlive it.
class HeadersView {
 public:
  using Pairs = std::span<const std::pair<std::string_view, std::string_view>>;

  HeadersView() noexcept = default;
  HeadersView(Pairs pairs) noexcept : pairs_(pairs) {}  // NOLINT: implicit on purpose
  template <class Head>
  requires requires(const Head& head, std::string_view name) {
    { head.value(name) } -> std::convertible_to<std::string_view>;
  }
  HeadersView(const Head& head) noexcept  // NOLINT: implicit on purpose
      : source_(&head), read_([](const void* source, std::string_view name) noexcept {
          return std::string_view(static_cast<const Head*>(source)->value(name));
        }) {}

  /// The first value of that name; empty for none.
  std::string_view value(std::string_view name) const noexcept {
    if (read_ != nullptr) return read_(source_, name);
    for (const auto& [key, value] : pairs_) {
      if (key == name) return value;
    }
    return {};
  }

 private:
  Pairs pairs_ = {};
  const void* source_ = nullptr;
  std::string_view (*read_)(const void*, std::string_view) noexcept = nullptr;
};

}  // namespace byway::wire
