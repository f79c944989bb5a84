#include "catch.hpp"

#include <string>
#include <vector>

#include "base/json_quote.hpp"

namespace byway::base {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_quoted(out, text);
  return out;
}

const std::string replacement = "\xEF\xBF\xBD";

}  // namespace

TEST_CASE("plain text and whole UTF-8 pass as they are") {
  for (const std::string text :
       {"", "hello", "/path?x=1&y=<2>", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
        "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "\xE2\x82\xAC"}) {
    CHECK(quoted(text) == "\"" + text + "\"");
  }
}

TEST_CASE("quotes, backslashes and control characters are escaped") {
  CHECK(quoted("a\"b\\c") == R"("a\"b\\c")");
  CHECK(quoted("\n\r\t") == R"("\n\r\t")");
  CHECK(quoted(std::string_view("\0\x01\x1F\x7F", 4)) == R"("\u0000\u0001\u001f\u007f")");
}

TEST_CASE("each byte that is no UTF-8 becomes U+FFFD") {
  struct Row {
    std::string text;
    int bad;
  };
  // Lone and missing continuations, overlong forms, surrogates, beyond U+10FFFF, never-bytes.
  const std::vector<Row> rows = {{"\x80", 1},
                                 {"\xC3", 1},
                                 {"\xC0\xAF", 2},
                                 {"\xE0\x9F\xBF", 3},
                                 {"\xED\xA0\x80", 3},
                                 {"\xF0\x8F\xBF\xBF", 4},
                                 {"\xF4\x90\x80\x80", 4},
                                 {"\xF5", 1},
                                 {"\xFF\xFE", 2},
                                 {"\xE2\x82", 2},
                                 {"\xF0\x90\x80", 3}};
  for (const Row& row : rows) {
    CAPTURE(quoted(row.text));
    std::string want = "\"a";
    for (int at = 0; at < row.bad; ++at) want += replacement;
    CHECK(quoted("a" + row.text + "b") == want + "b\"");
    CHECK(quoted("a" + row.text) == want + "\"");
  }
}

}  // namespace byway::base
