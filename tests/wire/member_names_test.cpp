#include "wire/member_names.hpp"

#include "catch.hpp"

using byway::wire::members_among;

TEST_CASE("names of members are found at the top only, however they are spelled") {
  const std::vector<std::string> names = {"n", "user", "seed"};
  const std::vector<std::string_view> both = {"n", "user"};
  CHECK(members_among(R"({"user":"seed","a":{"seed":1},"\u006e":2})", names) == both);
  CHECK(members_among("{}", names).empty());
  CHECK(members_among(R"({"n":1})", {}).empty());
}
