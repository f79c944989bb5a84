// Whether keys stay behind in memory that is not theirs.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <byway/vault.hpp>

#include "base/digest.hpp"
#include "base/memory_look.hpp"
#include "catch.hpp"
#include "fixtures.hpp"
#include "vault/vault.hpp"

namespace byway::vault {
namespace {

/// How often bytes stand in the writable memory of this process. It copies nothing, so the one
/// place that is known to hold them is counted once.
int count_in_memory(std::string_view bytes) {
  struct Range {
    std::uintptr_t start;
    std::uintptr_t end;
  };
  std::vector<Range> ranges;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(" rw") == std::string::npos || line.find("[vvar]") != std::string::npos) continue;
    std::istringstream fields(line);
    Range range = {};
    char dash = 0;
    if (fields >> std::hex >> range.start >> dash >> range.end) ranges.push_back(range);
  }
  int count = 0;
  for (const Range& range : ranges) {
    const auto* at = reinterpret_cast<const char*>(range.start);
    const auto* end = reinterpret_cast<const char*>(range.end);
    while (at < end) {
      at = static_cast<const char*>(
          ::memmem(at, static_cast<std::size_t>(end - at), bytes.data(), bytes.size()));
      if (at == nullptr) break;
      ++count;
      ++at;
    }
  }
  return count;
}

/// The bytes as SHA-512 keeps them in its state: each eight turned round on this machine.
Secret as_state(const Secret& bytes) {
  Secret turned = bytes.clone();
  char* at = turned.mutable_bytes();
  for (std::size_t word = 0; word < turned.size(); word += 8)
    std::reverse(at + word, at + word + 8);
  return turned;
}

TEST_CASE("after sealing and opening, a key is in memory only in its Secret") {
  if (BYWAY_TEST_SANITIZED) {
    WARN("skipped: the sanitizers' own memory is too large to scan");
    return;
  }
  const Folder folder;
  REQUIRE(write_key_file(folder / "key", generate_master_key()));
  Secret upstream = Secret::zeros(48);
  base::random_bytes(upstream.mutable_bytes(), upstream.size());
  const Secret loaded = KeySource::file(folder / "key").load().value();

  Vault vault;
  vault.add(MasterKey::make(loaded.clone(), 1).value());
  REQUIRE(vault.activate(1));
  const std::string sealed = vault.seal(home, upstream).value();
  const RecordKey record_key = vault.unlock(sealed).value();
  for (int attempt = 0; attempt < 10; ++attempt) {
    const Secret opened = record_key.open(home, sealed).value();
    CHECK((opened == upstream));
  }
  CHECK(count_in_memory(upstream.expose_secret()) == 1);
  CHECK(count_in_memory(loaded.expose_secret()) == 2);  // `loaded` and the vault's clone
  // Not even half of one, as a block cipher or a register spill might leave.
  CHECK(count_in_memory(upstream.expose_secret().substr(16, 16)) == 1);
  CHECK(count_in_memory(loaded.expose_secret().substr(0, 16)) == 2);

  Secret derived = Secret::zeros(32);
  base::Hkdf(loaded.expose_secret(), read_header(sealed).value().salt)
      .expand("seal", derived.mutable_bytes(), derived.size());
  CHECK(count_in_memory(derived.expose_secret()) == 2);  // `derived` and `record_key`
  CHECK(count_in_memory(as_state(derived).expose_secret()) == 1);
}

}  // namespace
}  // namespace byway::vault
