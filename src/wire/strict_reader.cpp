#include "wire/strict_reader.hpp"

namespace byway::wire {
namespace {

constexpr std::int64_t limit_ms_max = std::int64_t{24} * 3600 * 1000;

}  // namespace

void StrictReader::refuse(const std::string& key, const std::string& why) {
  if (!fault_.empty()) return;
  fault_ = key.empty() ? why : "\"" + key + "\" " + why;
}

bool StrictReader::finish() {
  if (fault_.empty() && !cursor_.finish()) {
    refuse("", "is not valid JSON at byte " + std::to_string(cursor_.fault_position()));
  }
  return fault_.empty();
}

void StrictReader::read_text(const std::string& key, std::string& text) {
  const auto told = cursor_.string_or_skip();
  if (!told) return refuse(key, "must be a text");
  text.clear();
  told->append_to(text);
}

void StrictReader::read_names(const std::string& key, std::vector<std::string>& names) {
  names.clear();
  each_element(key, [&] { read_text(key, names.emplace_back()); });
}

void StrictReader::read_pairs(const std::string& key, Pairs& pairs) {
  pairs.clear();
  each_member(key, [&](const std::string& name) {
    pairs.emplace_back(name, std::string());
    read_text(key + "." + name, pairs.back().second);
  });
}

void StrictReader::read_integer(const std::string& key, std::int64_t least, std::int64_t most,
                                std::int64_t& number) {
  const auto told = cursor_.integer_or_skip();
  if (!told || *told < least || *told > most) {
    return refuse(key, "must be a whole number from " + std::to_string(least) + " to " +
                           std::to_string(most));
  }
  number = *told;
}

void StrictReader::read_ms(const std::string& key, std::chrono::milliseconds& limit) {
  std::int64_t number = 0;
  read_integer(key, 0, limit_ms_max, number);
  limit = std::chrono::milliseconds(number);
}

}  // namespace byway::wire
