#include "wire/extra_body.hpp"

#include <string>

#include "wire/json_cursor.hpp"
#include "wire/json_merge.hpp"
#include "wire/json_write.hpp"

namespace byway::wire {
namespace {

Error refusal(const std::string& why) {
  return Error(ErrorCode::registry_field_invalid, "extra_body " + why);
}

}  // namespace

Result<void> validate_extra_body(std::string_view text) {
  if (text.empty()) return {};
  if (!is_utf8(text)) return refusal("is not valid UTF-8");
  JsonCursor cursor(text, JsonCursor::Surrogates::strict);
  if (cursor.peek() != JsonKind::object) return refusal("must be a JSON object");
  cursor.skip();
  if (!cursor.finish()) {
    return refusal("is not valid JSON at byte " + std::to_string(cursor.fault_position()));
  }
  for (const std::string_view name : {"messages", "model", "stream"}) {
    if (!member_of(text, name).empty()) {
      return refusal("may not set \"" + std::string(name) + "\": that is the caller's");
    }
  }
  if (const auto twice = name_given_twice(text)) return refusal("has \"" + *twice + "\" twice");
  return {};
}

}  // namespace byway::wire
