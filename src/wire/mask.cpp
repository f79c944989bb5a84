#include <algorithm>

#include "wire/ascii.hpp"
#include "wire/failure.hpp"

namespace byway::wire {
namespace {

constexpr std::string_view stars = "***";
/// Shorter keys than this would mask ordinary words.
constexpr std::size_t key_min = 4;
/// What follows a key's prefix is a key from this length on; a word without digits, such as
/// "Bearer authentication", only when it is longer than words are.
constexpr std::size_t token_min = 6;
constexpr std::size_t word_max = 20;

bool is_token_byte(char byte) noexcept {
  const char lower = ascii_lower(byte);
  return is_ascii_digit(byte) || (lower >= 'a' && lower <= 'z') ||
         std::string_view("-_.+/=~*").find(byte) != std::string_view::npos;
}

bool is_letter_or_digit(char byte) noexcept {
  return is_ascii_digit(byte) || (ascii_lower(byte) >= 'a' && ascii_lower(byte) <= 'z');
}

/// How the keys of known makers begin, and words that a key follows.
constexpr std::string_view leads[] = {
    "bearer ", "sk-",  "sk_",  "bw_live_", "bw_test_", "gsk_", "hf_",      "nvapi-",
    "xai-",    "aiza", "ghp_", "dapi",     "fw_",      "tgp_", "api_key=", "api-key: ",
};

/// The length of something that looks like a key at the front of `text`; 0 for nothing.
std::size_t key_length(std::string_view text) noexcept {
  for (const std::string_view lead : leads) {
    if (!begins_with_lower(text, lead)) continue;
    std::size_t end = lead.size();
    bool has_digit = false;
    for (; end < text.size() && is_token_byte(text[end]); ++end) {
      has_digit = has_digit || is_ascii_digit(text[end]) || text[end] == '*';
    }
    const std::size_t length = end - lead.size();
    if (length > word_max || (length >= token_min && has_digit)) return end;
  }
  return 0;
}

/// How many bytes at the end of `text` begin the key: an echo that was cut short.
std::size_t cut_key_length(std::string_view text, std::string_view key) noexcept {
  for (std::size_t length = std::min(text.size(), key.size()); length >= key_min; --length) {
    if (text.ends_with(key.substr(0, length))) return length;
  }
  return 0;
}

}  // namespace

std::string masked(std::string_view text, std::string_view key) {
  if (key.size() < key_min) key = {};
  std::string out;
  out.reserve(text.size());
  const std::size_t cut = key.empty() ? 0 : cut_key_length(text, key);
  const std::string_view whole = text.substr(0, text.size() - cut);
  for (std::size_t at = 0; at < whole.size();) {
    const std::string_view rest = whole.substr(at);
    if (!key.empty() && rest.starts_with(key)) {
      out.append(stars);
      at += key.size();
      continue;
    }
    const bool is_inside_word = at > 0 && is_letter_or_digit(whole[at - 1]);
    const std::size_t length = is_inside_word ? 0 : key_length(rest);
    if (length > 0) {
      out.append(stars);
      at += length;
    } else {
      out += whole[at++];
    }
  }
  if (cut > 0) out.append(stars);
  return out;
}

void mask(UpstreamFailure& failure, std::string_view key) {
  failure.detail = masked(failure.detail, key);
  failure.code = masked(failure.code, key);
}

}  // namespace byway::wire
