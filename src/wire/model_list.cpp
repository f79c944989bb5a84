#include "wire/model_list.hpp"

#include "wire/json_cursor.hpp"

namespace byway::wire {
namespace {

constexpr std::string_view empty_list = R"({"object":"list","data":[]})";

/// The id as the reader of such lists takes it; empty when there is none.
std::string id_of(std::string_view element) {
  JsonCursor cursor(element);
  std::string id;
  if (cursor.peek() == JsonKind::string) {
    cursor.read_string().append_to(id);
    return id;
  }
  if (!cursor.enter_object_or_skip()) return id;
  for (JsonString name; cursor.next_member(name);) {
    const bool is_id = name == "id";
    const bool is_other = (name == "name" || name == "model") && id.empty();
    if (!is_id && !is_other) {
      cursor.skip();
    } else if (const auto text = cursor.string_or_skip()) {
      id.clear();
      text->append_to(id);
    }
  }
  return cursor.is_good() ? id : std::string();
}

/// Precondition: an array comes next.
std::string kept_rows(JsonCursor& cursor, const std::function<bool(std::string_view)>& keep) {
  std::string rows = "[";
  cursor.enter_array();
  while (cursor.next_element()) {
    const std::string_view element = cursor.skip();
    const std::string id = id_of(element);
    if (id.empty() || !keep(id)) continue;
    if (rows.size() > 1) rows += ',';
    rows += element;
  }
  return rows + "]";
}

}  // namespace

std::string keep_models(std::string_view body, const std::function<bool(std::string_view)>& keep) {
  JsonCursor cursor(body);
  if (cursor.peek() == JsonKind::array) {
    std::string rows = kept_rows(cursor, keep);
    return cursor.finish() ? rows : std::string(empty_list);
  }
  if (cursor.peek() != JsonKind::object) return std::string(empty_list);
  std::string out;
  std::size_t copied = 0;
  cursor.enter_object();
  for (JsonString name; cursor.next_member(name);) {
    const bool is_list = name == "data" || name == "models";
    if (!is_list || cursor.peek() != JsonKind::array) {
      cursor.skip();
      continue;
    }
    const std::size_t begin = cursor.position();
    const std::string rows = kept_rows(cursor, keep);
    out.append(body.substr(copied, begin - copied)).append(rows);
    copied = cursor.position();
  }
  if (!cursor.finish()) return std::string(empty_list);
  return out.append(body.substr(copied));
}

}  // namespace byway::wire
