// Kill -9 under load, the short form; tests/audit/program.cpp tells how to run the long one.
#include <cstdlib>

#include "catch.hpp"
#include "store/scratch.hpp"

namespace byway::policy {

TEST_CASE("after kill -9 every begun call has an intent and every ended one its outcome",
          "[audit]") {
  const store::ScratchFolder folder;
  const char* wanted = std::getenv("BYWAY_AUDIT_KILLS");
  const std::string command = std::string(BYWAY_BIN_DIR) + "/audit_kill " + folder.path() + " " +
                              (wanted != nullptr ? wanted : "12");
  CHECK(std::system(command.c_str()) == 0);
}

}  // namespace byway::policy
