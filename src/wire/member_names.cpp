#include "wire/member_names.hpp"

#include <algorithm>

#include "wire/json_cursor.hpp"

namespace byway::wire {

std::vector<std::string_view> members_among(std::string_view body,
                                            std::span<const std::string> names) {
  std::vector<bool> is_there(names.size());
  JsonCursor cursor(body);
  cursor.enter_object();
  for (JsonString name; cursor.next_member(name);) {
    for (std::size_t at = 0; at < names.size(); ++at) {
      if (name == names[at]) is_there[at] = true;
    }
    cursor.skip();
  }
  std::vector<std::string_view> found;
  for (std::size_t at = 0; at < names.size(); ++at) {
    if (is_there[at]) found.emplace_back(names[at]);
  }
  return found;
}

}  // namespace byway::wire
