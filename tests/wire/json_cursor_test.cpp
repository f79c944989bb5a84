#include <simdjson.h>

#include <cctype>
#include <cmath>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "catch.hpp"
#include "wire/json_cursor.hpp"
#include "wire/json_merge.hpp"
#include "wire/json_scan.hpp"
#include "wire/json_write.hpp"

using namespace byway;
using wire::JsonCursor;
using wire::JsonFault;
using wire::JsonKind;
using wire::JsonString;

namespace {

bool is_valid(std::string_view text) {
  JsonCursor cursor(text, JsonCursor::Surrogates::strict);
  cursor.skip();
  return cursor.finish() && wire::is_utf8(text);
}

std::string decoded(std::string_view quoted) {
  JsonCursor cursor(quoted);
  std::string text;
  cursor.read_string().append_to(text);
  return text;
}

std::string base64_bytes(std::string_view text) {
  constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (const char letter : text) {
    if (letter == '=') break;
    bits = bits << 6 | static_cast<unsigned>(letters.find(letter));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xFF);
  }
  return out;
}

}  // namespace

TEST_CASE("what the JSON test suite must accept is accepted, what it must reject is rejected") {
  const std::string path = std::string(BYWAY_SHARED_DIR) + "/data/json_parsing.jsonl";
  std::ifstream file(path);
  if (!file) {
    WARN("skipped: " << path << " is not there");
    return;
  }
  int accepted = 0, rejected = 0;
  for (std::string line; std::getline(file, line);) {
    const std::string bytes = base64_bytes([&] {
      std::string text;
      JsonCursor(wire::member_of(line, "bytes")).read_string().append_to(text);
      return text;
    }());
    const std::string expect(wire::member_of(line, "expect"));
    INFO(wire::member_of(line, "name"));
    // The value grammar is tested inside an object, as requests must be one.
    const std::string wrapped = "{\"v\": " + bytes + "}";
    const auto scan = wire::scan_request(wrapped, Operation::chat);
    if (expect == "\"y\"") {
      CHECK(is_valid(bytes));
      CHECK(scan);
      ++accepted;
    } else if (expect == "\"n\"") {
      CHECK_FALSE(is_valid(bytes));
      CHECK_FALSE(scan);
      ++rejected;
    }
  }
  CHECK(accepted == 95);
  CHECK(rejected == 188);
}

TEST_CASE("the cursor and simdjson agree on mutated texts") {
  const std::vector<std::string> seeds = {
      R"({"a":[1,2.5e-3,-0,true,false,null,"x\u00e9\n"],"b":{"c":{}},"d":[]})",
      R"([[["deep"]],{"k":"\ud83d\ude00","l":-12.0E+5}])",
  };
  std::mt19937 random(20261122);
  simdjson::dom::parser parser;
  int valid = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = seeds[random() % seeds.size()];
    for (auto edits = 1 + random() % 3; edits > 0; --edits) {
      constexpr std::string_view bytes = "{}[]\",:\\u0123eE+-.dtrfn \n\x01\xC3";
      const std::size_t at = random() % text.size();
      const char byte = bytes[random() % bytes.size()];
      switch (random() % 3) {
        case 0: text[at] = byte; break;
        case 1: text.insert(at, 1, byte); break;
        default: text.erase(at, 1); break;
      }
    }
    simdjson::dom::element element;
    const auto error = parser.parse(text).get(element);
    // simdjson has one word for a number that is none and for one that no double holds, and JSON
    // itself allows the latter; the suite above covers the former.
    if (error == simdjson::NUMBER_ERROR) continue;
    INFO(text);
    CHECK(is_valid(text) == (error == simdjson::SUCCESS));
    valid += error == simdjson::SUCCESS;
  }
  CHECK(valid > 100);
}

TEST_CASE("nesting is bounded at 64 levels and costs no stack") {
  const auto nested = [](std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  CHECK(is_valid(nested(64)));
  for (const std::size_t levels : {std::size_t{65}, std::size_t{100'000}}) {
    const std::string text = nested(levels);
    JsonCursor deep(text);
    deep.skip();
    CHECK(deep.fault() == JsonFault::too_deep);
    CHECK(deep.fault_position() == 65);
  }
}

TEST_CASE("escapes are decoded, lone surrogates become U+FFFD") {
  CHECK(decoded(R"("a\n\t\r\b\f\/\\\"z")") == "a\n\t\r\b\f/\\\"z");
  CHECK(decoded(R"("\u0041\u00e9\u6771\ud83c\udf0d")") == "A\xC3\xA9\xE6\x9D\xB1\xF0\x9F\x8C\x8D");
  CHECK(decoded(R"("\ud83c")") == "\xEF\xBF\xBD");
  CHECK(decoded(R"("\ud83c\u0041")") ==
        "\xEF\xBF\xBD"
        "A");
  CHECK(decoded(R"("\udf0d\ud83c\udf0d")") == "\xEF\xBF\xBD\xF0\x9F\x8C\x8D");
  JsonCursor strict(R"("\ud83cx")", JsonCursor::Surrogates::strict);
  strict.read_string();
  CHECK(strict.fault() == JsonFault::lone_surrogate);
}

TEST_CASE("a name is compared by what it means") {
  JsonCursor cursor(R"({"mod\u0065l":1,"\u006d":2,"plain":3})");
  cursor.enter_object();
  JsonString name;
  REQUIRE(cursor.next_member(name));
  CHECK(name == "model");
  CHECK_FALSE(name == "mode");
  cursor.skip();
  REQUIRE(cursor.next_member(name));
  CHECK(name == "m");
  cursor.skip();
  REQUIRE(cursor.next_member(name));
  CHECK(name == "plain");
}

TEST_CASE("numbers mean what they say, however they are spelled") {
  CHECK(wire::integer_of("12") == 12);
  CHECK(wire::integer_of("-1") == -1);
  CHECK(wire::integer_of("1e3") == 1000);
  CHECK(wire::integer_of("12.0") == 12);
  CHECK(wire::integer_of("9223372036854775807") == INT64_MAX);
  for (const std::string_view odd : {"1.5", "1e308", "9223372036854775808", "1e-1", "1e999", ""}) {
    INFO(odd);
    CHECK_FALSE(wire::integer_of(odd));
  }
  CHECK(wire::double_of("1e-3") == 0.001);
  CHECK(std::isinf(wire::double_of("1e999")));
  CHECK(wire::double_of("1e-999") == 0);
}

TEST_CASE("the work of skipping a string is linear in its length, escapes or not") {
  // Each block of sixteen bytes is looked at once more per special byte in it, never again.
  std::string text = "\"";
  for (int index = 0; index < 100'000; ++index) text += "\\n";
  text += "\"";
  JsonCursor cursor(text);
  CHECK(cursor.skip().size() == text.size());
}

TEST_CASE("one object merges into another") {
  struct Row {
    std::string base, over, merged;
  };
  const Row rows[] = {
      {R"({})", R"({"a":1})", R"({"a":1})"},
      {R"({ "a" : 1 })", R"({})", R"({ "a" : 1 })"},
      {R"({"a":1,"b":[1]})", R"({"b":2})", R"({"a":1,"b":2})"},
      {R"({"a":{"x":1, "y":2}})", R"({"a":{"y":{"z":3},"w":4}})",
       R"({"a":{"x":1, "y":{"z":3},"w":4}})"},
      {R"({"a":[1]})", R"({"a":[2,3]})", R"({"a":[2,3]})"},
      {R"({"\u0061":1})", R"({"a":2})", R"({"\u0061":2})"},
  };
  for (const Row& row : rows) {
    std::string merged;
    wire::append_merged(merged, row.base, row.over);
    CHECK(merged == row.merged);
  }
}

TEST_CASE("a name given twice is found at any level") {
  CHECK(wire::name_given_twice(R"({"a":{"b":[{"c":1,"\u0063":2}]}})").value() == "c");
  CHECK_FALSE(wire::name_given_twice(R"({"a":{"a":[{"a":1}]},"b":1})"));
}

TEST_CASE("bad UTF-8 becomes U+FFFD and good UTF-8 stays") {
  const auto repaired = [](std::string_view bytes) {
    std::string out;
    wire::append_repaired(out, bytes);
    return out;
  };
  CHECK(repaired("na\xC3\xAFve \xF0\x9F\x8C\x8D") == "na\xC3\xAFve \xF0\x9F\x8C\x8D");
  CHECK(repaired("a\xC3") == "a\xEF\xBF\xBD");
  CHECK(repaired("\xED\xA0\x80z") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz");
  CHECK(repaired("\xC0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(wire::utf8_prefix("a\xC3\xA9z", 2) == "a");
  CHECK(wire::json_quote("a\"\x01\xFFz") == "\"a\\\"\\u0001\xEF\xBF\xBDz\"");
}

/// Whether what stands between quotes is a JSON string, read byte by byte, pairs of surrogates
/// apart.
bool is_string_slowly(std::string_view inside) {
  for (std::size_t at = 0; at < inside.size(); ++at) {
    if (static_cast<unsigned char>(inside[at]) < 0x20 || inside[at] == '"') return false;
    if (inside[at] != '\\') continue;
    if (++at == inside.size()) return false;
    if (inside[at] != 'u') {
      if (std::string_view("\"\\/bfnrt").find(inside[at]) == std::string_view::npos) return false;
      continue;
    }
    for (int digit = 0; digit < 4; ++digit) {
      if (++at == inside.size() || std::isxdigit(static_cast<unsigned char>(inside[at])) == 0) {
        return false;
      }
    }
  }
  return true;
}

TEST_CASE("escapes in a long string are read as byte by byte") {
  const std::vector<std::string> pieces = {"aaaaaaaaaaaaaaa", "b",       "\\\\", "\\n",  "\\\"",
                                           "\\u00e9",         "\\u2028", "\\/",  "cdef", "\\t"};
  const std::vector<std::string> faults = {"\\x", "\\", "\\u12", "\n", "\"", "\\u12g4", "\\\n"};
  std::mt19937 random(20261125);
  const auto draw = [&](const std::vector<std::string>& from) {
    return from[random() % from.size()];
  };
  int good = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string inside;
    const std::size_t length = random() % 300;
    const bool is_dense = random() % 2 == 0;
    while (inside.size() < length) inside += is_dense ? pieces[2 + random() % 8] : draw(pieces);
    if (random() % 2 == 0) inside.insert(random() % (inside.size() + 1), draw(faults));
    const std::string text = "[\"" + inside + "\"]";
    JsonCursor cursor(text);
    cursor.skip();
    const bool is_good = cursor.finish();
    if (is_good != is_string_slowly(inside)) FAIL_CHECK(text);
    good += is_good ? 1 : 0;
  }
  CHECK(good > 5'000);
  CHECK(good < 19'000);
}

TEST_CASE("a surrogate pair is read wherever it stands") {
  for (std::size_t before = 0; before < 140; ++before) {
    const std::string pad = "\\n" + std::string(before, 'a');
    CHECK(is_valid("\"" + pad + "\\ud83d\\ude00z\""));
    CHECK_FALSE(is_valid("\"" + pad + "\\ud83dz\""));
    CHECK_FALSE(is_valid("\"" + pad + "\\ude00z\""));
    CHECK_FALSE(is_valid("\"" + pad + "\\ud83d\\n\""));
    CHECK_FALSE(is_valid("\"" + pad + "\\ud83d"));
    CHECK(decoded("\"" + pad + "\\ud83d\\ude00z\"") ==
          "\n" + std::string(before, 'a') + "\xF0\x9F\x98\x80z");
  }
}
