// StrictReader: reads configuration in JSON, refusing whatever it does not expect.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/json_cursor.hpp"

namespace byway::wire {

/// The first fault ends the reading; it is a sentence that begins with the key at fault. *One
/// thread at a time.*
class StrictReader {
 public:
  using Pairs = std::vector<std::pair<std::string, std::string>>;

  explicit StrictReader(std::string_view json) : cursor_(json) {}

  JsonCursor& cursor() noexcept { return cursor_; }
  const std::string& fault() const noexcept { return fault_; }
  void refuse(const std::string& key, const std::string& why);
  /// After the outermost value: whether all was as expected.
  bool finish();

  /// Calls `visit(name)` for each member; it must consume the value or refuse it.
  template <class Visit>
  void each_member(const std::string& key, Visit visit) {
    if (cursor_.peek() != JsonKind::object) return refuse(key, "must be an object");
    cursor_.enter_object();
    for (JsonString name; fault_.empty() && cursor_.next_member(name);) {
      std::string meant;
      name.append_to(meant);
      visit(meant);
    }
  }
  template <class Visit>
  void each_element(const std::string& key, Visit visit) {
    if (cursor_.peek() != JsonKind::array) return refuse(key, "must be a list");
    cursor_.enter_array();
    while (fault_.empty() && cursor_.next_element()) visit();
  }

  void skip_value() { cursor_.skip(); }
  void read_text(const std::string& key, std::string& text);
  /// These replace what was there.
  void read_names(const std::string& key, std::vector<std::string>& names);
  void read_pairs(const std::string& key, Pairs& pairs);
  void read_integer(const std::string& key, std::int64_t least, std::int64_t most,
                    std::int64_t& number);
  /// From 0 to a day.
  void read_ms(const std::string& key, std::chrono::milliseconds& limit);

  template <class T>
  void read_choice(const std::string& key, T& target,
                   std::initializer_list<std::pair<std::string_view, T>> choices) {
    std::string word;
    read_text(key, word);
    std::string names;
    for (const auto& [name, value] : choices) {
      if (name == word) {
        target = value;
        return;
      }
      names.append(names.empty() ? "" : ", ").append(name);
    }
    refuse(key, "must be one of " + names);
  }

 private:
  JsonCursor cursor_;
  std::string fault_;
};

}  // namespace byway::wire
