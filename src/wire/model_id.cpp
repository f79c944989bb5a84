#include "wire/model_id.hpp"

#include <string>

namespace byway::wire {
namespace {

constexpr std::string_view prefix = "byo:";
constexpr std::size_t slug_min = 3;
constexpr std::size_t slug_max = 40;
/// How much of a wrong model id an error shows.
constexpr std::size_t shown_max = 80;

bool is_lower(char byte) noexcept {
  return byte >= 'a' && byte <= 'z';
}

bool is_slug_byte(char byte) noexcept {
  return is_lower(byte) || (byte >= '0' && byte <= '9') || byte == '-';
}

Error refusal(std::string_view text, std::string_view wanted) {
  std::string shown;
  for (const char byte : text.substr(0, shown_max)) {
    shown += byte >= 0x20 && byte < 0x7F ? byte : '?';
  }
  ErrorFields fields;
  fields.code = ErrorCode::request_invalid_model;
  fields.message = "model \"" + shown + "\" is not " + std::string(wanted);
  fields.param = "model";
  return Error(std::move(fields));
}

}  // namespace

bool is_slug(std::string_view text) noexcept {
  if (text.size() < slug_min || text.size() > slug_max) return false;
  if (!is_lower(text.front()) || text.back() == '-') return false;
  for (const char byte : text) {
    if (!is_slug_byte(byte)) return false;
  }
  return true;
}

Result<ModelId> parse_endpoint_id(std::string_view text) {
  if (!text.starts_with(prefix)) return refusal(text, "byo:<slug>");
  const std::string_view rest = text.substr(prefix.size());
  const std::size_t slash = rest.find('/');
  ModelId id;
  id.slug = rest.substr(0, slash);
  if (slash != std::string_view::npos) id.upstream = rest.substr(slash + 1);
  if (!is_slug(id.slug)) {
    return refusal(text,
                   "byo:<slug>: a slug is 3 to 40 characters of [a-z0-9-], starting with a "
                   "letter and not ending with -");
  }
  return id;
}

Result<ModelId> parse_model_id(std::string_view text) {
  Result<ModelId> id = parse_endpoint_id(text);
  if (id && id->upstream.empty()) return refusal(text, "byo:<slug>/<upstream-model>");
  return id;
}

}  // namespace byway::wire
