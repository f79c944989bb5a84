#include "base/time_text.hpp"

#include "catch.hpp"

namespace byway::base {
namespace {

TEST_CASE("a time is read back as it was written", "[time_text]") {
  for (const char* text :
       {"1970-01-01T00:00:00Z", "2024-02-29T23:59:59Z", "2027-01-31T00:00:01Z"}) {
    const auto time = parse_rfc3339(text);
    REQUIRE(time);
    CHECK(rfc3339(*time) == text);
  }
  CHECK(rfc3339(parse_rfc3339("2027-01-31").value()) == "2027-01-31T00:00:00Z");
}

TEST_CASE("what is no time of the calendar is refused", "[time_text]") {
  for (const char* text :
       {"", "2027", "2023-02-29", "2027-13-01", "2027-00-10", "2027-01-32", "2027-01-31T24:00:00Z",
        "2027-01-31T00:00:00+", "2027-01-31 00:00:00Z", "2027-01-31T00:00:00", "1969-12-31",
        "9999-01-01", "20x7-01-31", "tomorrow!!"}) {
    CHECK_FALSE(parse_rfc3339(text));
  }
}

}  // namespace
}  // namespace byway::base
