#include "wire/json_merge.hpp"

#include <set>
#include <type_traits>

namespace byway::wire {
namespace {

bool is_same(const JsonString& left, const JsonString& right) {
  if (!left.has_escapes) return right == left.raw;
  std::string meant;
  left.append_to(meant);
  return right == meant;
}

bool is_object(std::string_view value) noexcept {
  return value.starts_with('{');
}

template <class Name>
std::string_view find_member(std::string_view text, const Name& wanted) {
  JsonCursor cursor(text);
  cursor.enter_object();
  for (JsonString name; cursor.next_member(name);) {
    const std::string_view value = cursor.skip();
    if constexpr (std::is_same_v<Name, JsonString>) {
      if (is_same(name, wanted)) return value;
    } else {
      if (name == wanted) return value;
    }
  }
  return {};
}

/// Recursion is bounded: the cursor faults below 64 levels.
std::optional<std::string> twice_in(JsonCursor& cursor) {
  if (cursor.peek() == JsonKind::array) {
    cursor.enter_array();
    while (cursor.next_element()) {
      if (auto name = twice_in(cursor)) return name;
    }
  } else if (cursor.peek() == JsonKind::object) {
    std::set<std::string> names;
    cursor.enter_object();
    for (JsonString name; cursor.next_member(name);) {
      std::string meant;
      name.append_to(meant);
      if (!names.insert(meant).second) return meant;
      if (auto twice = twice_in(cursor)) return twice;
    }
  } else {
    cursor.skip();
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> name_given_twice(std::string_view text) {
  JsonCursor cursor(text);
  return twice_in(cursor);
}

std::string_view member_of(std::string_view text, const JsonString& name) {
  return find_member(text, name);
}

std::string_view member_of(std::string_view text, std::string_view name) {
  return find_member(text, name);
}

void append_merged(std::string& out, std::string_view base, std::string_view over) {
  JsonCursor cursor(base);
  cursor.enter_object();
  std::size_t kept = 0;
  std::size_t end = cursor.position();
  bool is_empty = true;
  for (JsonString name; cursor.next_member(name);) {
    const std::string_view value = cursor.skip();
    end = cursor.position();
    is_empty = false;
    const std::string_view winner = member_of(over, name);
    if (winner.empty()) continue;
    out.append(base.substr(kept, end - value.size() - kept));
    if (is_object(value) && is_object(winner)) {
      append_merged(out, value, winner);
    } else {
      out.append(winner);
    }
    kept = end;
  }
  out.append(base.substr(kept, end - kept));
  JsonCursor added(over);
  added.enter_object();
  for (JsonString name; added.next_member(name);) {
    const std::string_view value = added.skip();
    if (!member_of(base, name).empty()) continue;
    if (!is_empty) out += ',';
    is_empty = false;
    out.append("\"").append(name.raw).append("\":").append(value);
  }
  out.append(base.substr(end));
}

}  // namespace byway::wire
