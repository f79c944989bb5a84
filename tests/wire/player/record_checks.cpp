#include "wire/player/record_checks.hpp"

#include <simdjson.h>

#include <cmath>

namespace byway::wire_player {
namespace {

namespace dom = simdjson::dom;
using Faults = std::vector<std::string>;

void compare(const dom::element& wanted, const dom::element& found, const std::string& at,
             Faults& faults);

void compare_objects(const dom::object& wanted, const dom::element& found, const std::string& at,
                     Faults& faults) {
  for (const auto& [name, value] : wanted) {
    const std::string inside = at + "/" + std::string(name);
    dom::element member;
    if (found[name].get(member) != simdjson::SUCCESS) {
      faults.push_back(inside + " is missing");
    } else {
      compare(value, member, inside, faults);
    }
  }
}

void compare_arrays(const dom::array& wanted, const dom::array& found, const std::string& at,
                    Faults& faults) {
  if (wanted.size() != found.size()) {
    faults.push_back(at + " has " + std::to_string(found.size()) + " entries, not " +
                     std::to_string(wanted.size()));
    return;
  }
  for (std::size_t index = 0; index < wanted.size(); ++index) {
    compare(wanted.at(index), found.at(index), at + "/" + std::to_string(index), faults);
  }
}

void compare(const dom::element& wanted, const dom::element& found, const std::string& at,
             Faults& faults) {
  dom::object object;
  dom::array array;
  dom::array other;
  double left = 0;
  double right = 0;
  if (wanted.get(object) == simdjson::SUCCESS && found.is_object()) {
    compare_objects(object, found, at, faults);
  } else if (wanted.get(array) == simdjson::SUCCESS && found.get(other) == simdjson::SUCCESS) {
    compare_arrays(array, other, at, faults);
  } else if (wanted.get(left) == simdjson::SUCCESS && found.get(right) == simdjson::SUCCESS) {
    if (std::abs(left - right) > 1e-6) {
      faults.push_back(at + " is " + std::to_string(right) + ", not " + std::to_string(left));
    }
  } else if (simdjson::minify(wanted) != simdjson::minify(found)) {
    faults.push_back(at + " is " + simdjson::minify(found) + ", not " + simdjson::minify(wanted));
  }
}

void check_notes(const Expected& expected, const dom::element& record, Faults& faults) {
  std::string wanted;
  for (const std::string& note : expected.notes) wanted += note + " ";
  std::string found;
  dom::array notes;
  if (record["notes"].get(notes) == simdjson::SUCCESS) {
    for (const dom::element note : notes) found += std::string(note.get_string().value()) + " ";
  }
  if (wanted != found) faults.push_back("notes are '" + found + "', not '" + wanted + "'");
}

}  // namespace

std::vector<std::string> check_record(const Expected& expected, std::string_view record) {
  Faults faults;
  dom::parser parser;
  dom::element found;
  if (parser.parse(record.data(), record.size()).get(found) != simdjson::SUCCESS) {
    return {"the record is not JSON"};
  }
  for (const std::string& text : expected.records) {
    dom::parser other;
    dom::element wanted;
    if (other.parse(text).get(wanted) != simdjson::SUCCESS) {
      faults.push_back("not JSON: " + text);
    } else {
      compare(wanted, found, "", faults);
    }
  }
  check_notes(expected, found, faults);
  for (const RecordRange& range : expected.ranges) {
    double value = 0;
    const bool is_there = found.at_pointer(range.pointer).get(value) == simdjson::SUCCESS;
    if (!is_there || value < range.least || value > range.most) {
      faults.push_back(range.pointer + " is out of range: " +
                       (is_there ? std::to_string(value) : std::string("absent")));
    }
  }
  for (const auto& [pointer, most] : expected.lengths) {
    std::string_view text;
    if (found.at_pointer(pointer).get(text) != simdjson::SUCCESS || text.size() > most) {
      faults.push_back(pointer + " is absent or longer than " + std::to_string(most));
    }
  }
  for (const std::string& text : expected.lacks) {
    if (record.find(text) != std::string_view::npos) faults.push_back("the record has " + text);
  }
  if (!faults.empty()) faults.push_back("record: " + std::string(record.substr(0, 2000)));
  return faults;
}

int attempts_of(std::string_view record) {
  dom::parser parser;
  dom::element found;
  std::int64_t attempts = 0;
  if (parser.parse(record.data(), record.size()).get(found) != simdjson::SUCCESS) return -1;
  if (found["attempts"].get(attempts) != simdjson::SUCCESS) return -1;
  return static_cast<int>(attempts);
}

}  // namespace byway::wire_player
