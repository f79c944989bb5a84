// The duel's short forms; tests/quota/program.cpp tells how to run the long ones.
#include "catch.hpp"

#include <cstdlib>

#include "store/scratch.hpp"

namespace byway::policy {
namespace {

bool wins(const std::string& arguments) {
  const store::ScratchFolder folder;
  const std::string command =
      std::string(BYWAY_BIN_DIR) + "/quota_duel " + folder.path() + " " + arguments;
  return std::system(command.c_str()) == 0;
}

}  // namespace

TEST_CASE("eight processes of 64 threads spend exactly a cap of 1,000 when 20,000 are tried") {
  CHECK(wins("8 64 1000 20000"));
}

TEST_CASE("nobody is refused while units are left, even with an idle process about") {
  CHECK(wins("8 64 1003 1040"));
  CHECK(wins("8 64 1003 1040 --idle --work 500"));
}

TEST_CASE("calls that are processes of their own share a cap to the last unit") {
  CHECK(wins("4 1 20 28 --each"));
}

TEST_CASE("with processes killed by -9 the cap holds and every sent call is in the ledger") {
  CHECK(wins("4 16 300 2000 --kill 20 --work 2000"));
}

}  // namespace byway::policy
