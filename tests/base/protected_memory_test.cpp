#include "base/protected_memory.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "memory_look.hpp"

namespace byway::base {
namespace {

const std::size_t sizes[] = {0,    1,     15,    16,     17,     128,     129,    1000,
                             4096, 16385, 65536, 131072, 131073, 1000000, 5 << 20};

/// What a forked child ends with: 0 when `body` is true.
template <class Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body() ? 0 : 1);
  int status = -1;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_CASE("blocks of every size are aligned, apart from each other and zero at first") {
  for (int round = 0; round < 3; ++round) {
    std::vector<char*> blocks;
    for (const std::size_t size : sizes) {
      auto* block = static_cast<char*>(protected_zero_allocate(1, size));
      REQUIRE(block != nullptr);
      CHECK(reinterpret_cast<std::uintptr_t>(block) % 16 == 0);
      CHECK(test::is_all_zero(block, size));
      std::memset(block, static_cast<int>(blocks.size() + 1), size);
      blocks.push_back(block);
    }
    for (std::size_t at = 0; at < blocks.size(); ++at) {
      const std::string expected(sizes[at], static_cast<char>(at + 1));
      CHECK(std::memcmp(blocks[at], expected.data(), expected.size()) == 0);
      protected_free(blocks[at]);
    }
  }
}

TEST_CASE("a freed block is wiped") {
  for (const std::size_t size : {16U, 64U, 5000U, 131072U}) {
    void* block = protected_allocate(size);
    std::memset(block, 'k', size);
    protected_free(block);
    CHECK(test::is_all_zero(block, size));
  }
}

TEST_CASE("a block that grows keeps its bytes and leaves none behind") {
  std::string expected = "header: secret";
  auto* block = static_cast<char*>(protected_allocate(expected.size()));
  std::memcpy(block, expected.data(), expected.size());
  for (const std::size_t size : sizes) {
    if (size < expected.size()) continue;
    char* before = block;
    const std::size_t size_before = expected.size();
    block = static_cast<char*>(protected_reallocate(block, size));
    REQUIRE(block != nullptr);
    CHECK(std::memcmp(block, expected.data(), size_before) == 0);
    if (block != before && size_before <= 131072) CHECK(test::is_all_zero(before, size_before));
    std::memset(block + size_before, 'x', size - size_before);
    expected.resize(size, 'x');
  }
  protected_free(block);
}

TEST_CASE("a block that shrinks is wiped beyond its new end") {
  for (const std::size_t size : {100U, 4000U, 1000000U}) {
    auto* block = static_cast<char*>(protected_allocate(size));
    std::memset(block, 'k', size);
    auto* shrunk = static_cast<char*>(protected_reallocate(block, size - 50));
    CHECK(shrunk[size - 51] == 'k');
    CHECK(test::is_all_zero(shrunk + size - 50, 50));
    protected_free(shrunk);
  }
}

TEST_CASE("the allocator behaves as libcurl expects at the edges") {
  protected_free(nullptr);
  void* block = protected_reallocate(nullptr, 10);
  REQUIRE(block != nullptr);
  block = protected_reallocate(block, 0);
  protected_free(block);
  char* copy = protected_duplicate("text");
  CHECK(std::string(copy) == "text");
  protected_free(copy);
  CHECK(protected_zero_allocate(SIZE_MAX, 2) == nullptr);
  CHECK(protected_allocate(SIZE_MAX) == nullptr);
  CHECK(protected_allocate(SIZE_MAX / 2) == nullptr);
  block = protected_allocate(10);
  CHECK(protected_reallocate(block, SIZE_MAX) == nullptr);
  protected_free(block);
}

TEST_CASE("both arenas are left out of core dumps") {
  const ProtectionStatus status = protection_status();
  CHECK(status.dump_excluded);
  CHECK(status.bytes_mapped > 0);
  CHECK(status.bytes_locked <= status.bytes_mapped);
  CHECK(status.locked == (status.bytes_locked == status.bytes_mapped));
  void* block = protected_allocate(100);
  void* large = protected_allocate(1 << 20);
  void* key = key_allocate(32);
  for (const void* address : {block, large, key}) {
    const std::string flags = test::flags_of_page(address);
    if (flags.empty()) continue;
    CHECK(flags.find(" dd ") != std::string::npos);
  }
  const std::string flags = test::flags_of_page(key);
  // The sanitizers replace mlock(2) by one that does nothing and says it did.
  if (status.locked && !flags.empty() && !BYWAY_TEST_SANITIZED) {
    CHECK(flags.find(" lo ") != std::string::npos);
  }
  protected_free(block);
  protected_free(large);
  key_free(key);
}

TEST_CASE("large keys count as mapped while they live") {
  const std::size_t before = protection_status().bytes_mapped;
  void* key = key_allocate(100'000);
  CHECK(protection_status().bytes_mapped >= before + 100'000);
  key_free(key);
  CHECK(protection_status().bytes_mapped == before);
}

TEST_CASE("a thread that ends hands its blocks to the next one") {
  const auto use = [] {
    std::vector<void*> blocks;
    for (int count = 0; count < 500; ++count) blocks.push_back(key_allocate(100));
    for (void* block : blocks) key_free(block);
  };
  std::thread(use).join();
  const std::size_t before = protection_status().bytes_mapped;
  for (int count = 0; count < 50; ++count) std::thread(use).join();
  CHECK(protection_status().bytes_mapped == before);
}

/// Blocks that threads leave for each other to free.
struct Exchange {
  std::mutex mutex;
  std::vector<std::pair<char*, std::size_t>> blocks;
};

/// Allocates, resizes, frees and swaps blocks; counts those that do not hold what was put there.
int churn(unsigned seed, Exchange& exchange) {
  std::mt19937 random(seed);
  int wrong = 0;
  std::vector<std::pair<char*, std::size_t>> mine;
  for (int step = 0; step < 4000; ++step) {
    const std::size_t size = 1 + random() % (random() % 20 == 0 ? 40000 : 300);
    auto* block = static_cast<char*>(protected_zero_allocate(1, size));
    if (!test::is_all_zero(block, size)) ++wrong;
    std::memset(block, static_cast<int>(size & 0x7f) | 0x80, size);
    mine.emplace_back(block, size);
    if (random() % 3 == 0) {
      const std::lock_guard lock(exchange.mutex);
      std::swap(mine, exchange.blocks);
    }
    while (mine.size() > 40) {
      const auto [oldest, length] = mine.back();
      mine.pop_back();
      for (const std::size_t at : {std::size_t{0}, length - 1}) {
        if (static_cast<unsigned char>(oldest[at]) != ((length & 0x7f) | 0x80)) ++wrong;
      }
      protected_free(protected_reallocate(oldest, length + random() % 100));
    }
  }
  for (const auto& [block, length] : mine) protected_free(block);
  return wrong;
}

TEST_CASE("eight threads share the arena without mixing up a byte") {
  Exchange exchange;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 8; ++seed) {
    threads.emplace_back([&, seed] { wrong += churn(seed, exchange); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& [block, length] : exchange.blocks) protected_free(block);
  CHECK(wrong == 0);
}

TEST_CASE("a forked child allocates while its parent's threads did") {
  std::atomic<bool> is_done{false};
  Exchange exchange;
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 3; ++seed) {
    threads.emplace_back([&, seed] {
      while (!is_done) churn(seed, exchange);
    });
  }
  for (int round = 0; round < 10; ++round) {
    CHECK(in_child([] {
            for (const std::size_t size : sizes) {
              void* block = protected_allocate(size);
              void* key = key_allocate(size);
              if (block == nullptr || key == nullptr) return false;
              protected_free(block);
              key_free(key);
            }
            return true;
          }) == 0);
  }
  is_done = true;
  for (std::thread& thread : threads) thread.join();
  for (const auto& [block, length] : exchange.blocks) protected_free(block);
}

TEST_CASE("a forked child knows that its keys are no longer locked") {
  key_free(key_allocate(32));
  CHECK(in_child([] {
          const ProtectionStatus status = protection_status();
          return !status.locked && status.bytes_locked == 0 && status.bytes_mapped > 0;
        }) == 0);
}

TEST_CASE("keys beyond the locking limit are kept unlocked and counted") {
  CHECK(in_child([] {
          const rlimit none = {0, 0};
          // Root may lock past the limit, so the child first becomes nobody.
          if (::setrlimit(RLIMIT_MEMLOCK, &none) != 0) return false;
          if (::geteuid() == 0 && ::setuid(65534) != 0) return false;
          std::vector<void*> blocks;
          for (int count = 0; count < 100; ++count) {
            void* block = key_allocate(4000);
            if (block == nullptr) return false;
            std::memset(block, 'k', 4000);
            blocks.push_back(block);
          }
          const ProtectionStatus status = protection_status();
          for (void* block : blocks) key_free(block);
          if (BYWAY_TEST_SANITIZED) return true;  // their mlock(2) always says it did
          return !status.locked && status.bytes_mapped - status.bytes_locked >= 400'000;
        }) == 0);
}

}  // namespace
}  // namespace byway::base
