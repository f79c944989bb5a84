// ASCII without locales: case, white space, and looking for words in any case.
#pragma once

#include <cstddef>
#include <string_view>

namespace byway::wire {

constexpr char ascii_lower(char byte) noexcept {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + ('a' - 'A')) : byte;
}

constexpr bool is_ascii_digit(char byte) noexcept {
  return byte >= '0' && byte <= '9';
}

constexpr bool is_ascii_space(char byte) noexcept {
  return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

constexpr std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_ascii_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_ascii_space(text.back())) text.remove_suffix(1);
  return text;
}

/// Whether `text` in lower case begins with `lower`.
constexpr bool begins_with_lower(std::string_view text, std::string_view lower) noexcept {
  if (text.size() < lower.size()) return false;
  for (std::size_t index = 0; index < lower.size(); ++index) {
    if (ascii_lower(text[index]) != lower[index]) return false;
  }
  return true;
}

constexpr bool equals_lower(std::string_view text, std::string_view lower) noexcept {
  return text.size() == lower.size() && begins_with_lower(text, lower);
}

/// Where `lower` stands in `text` read in lower case; npos for nowhere.
constexpr std::size_t find_lower(std::string_view text, std::string_view lower) noexcept {
  for (std::size_t at = 0; at + lower.size() <= text.size(); ++at) {
    if (begins_with_lower(text.substr(at), lower)) return at;
  }
  return std::string_view::npos;
}

constexpr bool contains_lower(std::string_view text, std::string_view lower) noexcept {
  return find_lower(text, lower) != std::string_view::npos;
}

}  // namespace byway::wire
