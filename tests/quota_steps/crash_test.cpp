// The real code, stopped before each step that others can see: killed at every one, and interleaved
// at random with others and with kills.
#include "catch.hpp"

#include <random>
#include <set>

#include "policy/quota/step.hpp"
#include "quota/scratch_quota.hpp"
#include "quota_steps/fibers.hpp"
#include "quota_steps/tale.hpp"

namespace byway::policy {

void step() {
  Fibers::pause();
}

namespace {

/// After all the dead are buried: each call is charged or not, and nothing is left over.
void check_accounts(Host& host, Quota& quota, const std::vector<Limit>& limits, const Tale& tale,
                    const std::set<std::string>& known_doubts = {}) {
  std::set<std::string> doubted;
  for (const auto& doubt : host.ledger.doubts) {
    if (!known_doubts.contains(doubt.first)) doubted.insert(doubt.first);
  }
  std::set<std::string> charged = tale.charged;
  charged.insert(doubted.begin(), doubted.end());
  charged.insert(tale.being_charged.begin(), tale.being_charged.end());
  for (const std::string& label : tale.returned) CHECK(!charged.contains(label));
  const auto count = static_cast<std::int64_t>(charged.size());
  CHECK(used(quota, limits[1]) == 0);
  CHECK(used(quota, limits[2]) == count);
  CHECK(used(quota, limits[3]) == count);
  const auto in_doubt = static_cast<std::int64_t>(doubted.size());
  CHECK(used(quota, limits[4]) == 7 * (count - in_doubt) + 10 * in_doubt);
}

/// Buries the dead, as the next look of a living process does.
void bury(Host& host, Quota& quota) {
  host.clock->advance(std::chrono::milliseconds(300));
  must(quota.work(host.ledger));
}

std::set<int> open_files() {
  std::set<int> files;
  for (const auto& file : std::filesystem::directory_iterator("/proc/self/fd")) {
    files.insert(std::stoi(file.path().filename().string()));
  }
  return files;
}

/// A killed process's files close, those too that only its stack knew.
void close_all_but(const std::set<int>& files) {
  for (const int file : open_files()) {
    if (!files.contains(file)) ::close(file);
  }
}

/// Runs a fiber for `steps` steps; true when it came to its end.
bool run(Fibers& fibers, std::size_t at, int steps) {
  for (int done = 0; done < steps && fibers.is_running(at); ++done) fibers.advance(at);
  return !fibers.is_running(at);
}

}  // namespace

TEST_CASE("a process killed at any step, and its heir killed at any step, leave exact accounts") {
  Fibers fibers(2);
  int runs = 0;
  for (const bool is_sent : {true, false}) {
    bool has_ended = false;
    for (int kill_at = 0; !has_ended; ++kill_at) {
      bool has_buried = false;
      for (int bury_at = 0; !has_buried; bury_at += 1 + bury_at / 8) {
        Host host;
        auto witness = host.open();
        const std::vector<Limit> limits = limits_of("k", 5, 5);
        REQUIRE(host.passes(*witness, limits, {1, 7, 0}));
        Tale tale;
        tale.charged.insert("first");
        auto victim = host.open();
        fibers.start(0, [&] { call(*victim, limits, "victim", is_sent, tale); });
        has_ended = run(fibers, 0, kill_at);
        fibers.kill(0);
        victim.reset();
        // Another takes from the same counts, over whatever marks are there.
        call(*witness, limits, "witness", true, tale);
        const std::set<int> files = open_files();
        auto heir = host.open();
        host.clock->advance(std::chrono::milliseconds(300));
        fibers.start(1, [&] { must(heir->work(host.ledger)); });
        has_buried = run(fibers, 1, bury_at);
        fibers.kill(1);
        heir.reset();
        close_all_but(files);
        call(*witness, limits, "second", true, tale);
        bury(host, *witness);
        // The first call was settled as held, at seven tokens.
        check_accounts(host, *witness, limits, tale);
        ++runs;
      }
    }
  }
  CHECK(runs > 500);
}

// The long form: BYWAY_QUOTA_INTERLEAVINGS=1000000 build/release/bin/quota_steps_tests "random*"
TEST_CASE("random interleavings with kills never pass a cap, and every unit is accounted for") {
  std::mt19937 random(20250615);
  constexpr std::size_t processes = 3;
  Fibers fibers(processes * 2);
  std::unique_ptr<Host> host;
  const std::int64_t all = rounds(3000);
  for (std::int64_t round = 0; round < all; ++round) {
    if (round % 64 == 0) {
      host = std::make_unique<Host>();
      host->sizes = {1024, 8, 32};
    }
    const std::string name = "k" + std::to_string(round);
    const std::vector<Limit> limits = limits_of(name, 4, 6);
    Tale tale;
    std::set<std::string> known;
    for (const auto& doubt : host->ledger.doubts) known.insert(doubt.first);
    std::unique_ptr<Quota> quota[processes];
    for (auto& one : quota) one = host->open();
    auto judge = host->open();
    // Made and reserved ahead, since the store's work is not what is interleaved here.
    if (Admission made = host->admit(*judge, limits, {1, 10, 0}); true) made.ticket.give_back();
    for (std::size_t at = 0; at < processes * 2; ++at) {
      const bool is_sent = random() % 4 != 0;
      fibers.start(at, [&, at, is_sent] {
        for (int number = 0; number < 2; ++number) {
          const std::string label = name + "-" + std::to_string(at) + "-" + std::to_string(number);
          call(*quota[at / 2], limits, label, is_sent, tale);
        }
      });
    }
    for (bool is_any = true; is_any;) {
      const std::size_t at = random() % (processes * 2);
      if (fibers.is_running(at)) fibers.advance(at);
      if (random() % 200 == 0) {
        const std::size_t dead = random() % processes;
        fibers.kill(dead * 2);
        fibers.kill(dead * 2 + 1);
        quota[dead].reset();
        if (random() % 2 == 0) bury(*host, *judge);
      }
      CHECK(used(*judge, limits[2]) <= 4);
      CHECK(used(*judge, limits[3]) <= 6);
      is_any = false;
      for (std::size_t one = 0; one < processes * 2; ++one) is_any |= fibers.is_running(one);
    }
    for (auto& one : quota) one.reset();
    bury(*host, *judge);
    check_accounts(*host, *judge, limits, tale, known);
    const std::int64_t left = std::min(4 - used(*judge, limits[2]), 6 - used(*judge, limits[3]));
    CHECK(host->passing(*judge, limits, 9, {1, 10, 0}) == left);
  }
}

}  // namespace byway::policy
