// error_codes.def against the promises in error_codes.txt.
#include "catch.hpp"

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <byway/error.hpp>

namespace byway {
namespace {

/// "1302 store_io_error 500 api_error": what callers may rely on. The meaning may be reworded.
const std::vector<std::string> rows = {
#define BYWAY_ERROR(number, name, http, type, meaning) #number " " #name " " #http " " #type,
#include <byway/error_codes.def>
#undef BYWAY_ERROR
};

std::vector<std::string> promised() {
  std::vector<std::string> lines;
  std::ifstream file(BYWAY_SOURCE_DIR "/tests/golden/error_codes.txt");
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("no promised error code was changed or removed") {
  const std::set<std::string> now(rows.begin(), rows.end());
  REQUIRE(promised().size() >= 50);
  for (const std::string& line : promised()) {
    INFO("a promise that error_codes.def no longer keeps: " << line);
    CHECK(now.count(line) == 1);
  }
}

TEST_CASE("every error code is promised") {
  const std::vector<std::string> lines = promised();
  const std::set<std::string> known(lines.begin(), lines.end());
  for (const std::string& row : rows) {
    INFO("new? then add this line to tests/golden/error_codes.txt: " << row);
    CHECK(known.count(row) == 1);
  }
}

TEST_CASE("numbers and names are used once, and a number stands in its group") {
  const std::vector<std::pair<int, std::string>> groups = {
      {1000, "vault_"},  {1100, "registry_"}, {1200, "net_"},      {1300, "store_"},
      {1400, "policy_"}, {1500, "request_"},  {1600, "upstream_"}, {1900, "internal_"}};
  // Named by the product's contract, before there were groups.
  const std::set<std::string> contract = {"byo_endpoint_not_found", "byo_endpoint_disabled",
                                          "byo_model_not_allowed",  "invalid_api_key",
                                          "model_not_allowed",      "rate_limit_exceeded",
                                          "spend_cap_exceeded",     "provider_not_permitted"};
  std::set<int> numbers;
  std::set<std::string> names;
  for (const std::string& row : rows) {
    CAPTURE(row);
    const int number = std::stoi(row);
    const std::string name = row.substr(5, row.find(' ', 5) - 5);
    CHECK(numbers.insert(number).second);
    CHECK(names.insert(name).second);
    CHECK(name_of(static_cast<ErrorCode>(number)) == name);
    const int group = number / 100 * 100;
    bool is_in_group = contract.count(name) == 1;
    for (const auto& [start, word] : groups) {
      is_in_group = is_in_group || (group == start && name.starts_with(word));
    }
    CHECK(is_in_group);
  }
}

}  // namespace byway
