#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "catch.hpp"
#include "fuzz_target.hpp"

// A target that finds a fault ends the program, so the name of the file is what ctest shows last.
TEST_CASE("every input that a fuzzer once found passes") {
  int targets = 0;
  for (const auto* target = byway::fuzz::targets(); target != nullptr; target = target->next) {
    ++targets;
    int files = 0;
    const std::filesystem::path folder =
        std::filesystem::path(BYWAY_SOURCE_DIR) / "tests/fuzz/corpus" / target->name;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      INFO(entry.path().filename().string());
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string input((std::istreambuf_iterator<char>(file)), {});
      target->run(input);
      // Every prefix as well: a few kilobytes of inputs make many more this way.
      for (std::size_t size = 0; size < input.size() && input.size() < 4096; ++size) {
        target->run(std::string_view(input).substr(0, size));
      }
      ++files;
    }
    INFO(target->name);
    CHECK(files > 0);
  }
  CHECK(targets > 0);
}
