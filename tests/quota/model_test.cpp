// A small model of reserve, claim, hold, settle, crash, power loss and roll-over: every state that
// it can reach is looked at.
#include "catch.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <string>
#include <unordered_set>
#include <vector>

namespace {

constexpr int limit = 3;
constexpr int callers_max = 3;
constexpr std::size_t windows = 2;
constexpr int block = 2;

enum class Stage : std::uint8_t {
  idle,
  claimed,
  taken,
  held,
  sent,
  returning,
  dead_claimed,
  dead_taken,
  dead_held,
  done
};

/// Each calls again and again. Three take half a minute and six million states.
int callers() {
  const char* wanted = std::getenv("BYWAY_QUOTA_CALLERS");
  return wanted != nullptr ? std::clamp(std::atoi(wanted), 1, callers_max) : 2;
}

/// What breaks when a part of the scheme is left out.
enum class Breakage : std::uint8_t {
  none,
  reserve_late,
  forget_dead_held,
  refund_to_today,
  trust_count_after_reboot,
  release_untaken
};

struct Caller {
  Stage stage = Stage::idle;
  std::uint8_t window = 0;
  /// Whether the upstream saw it: the truth, which no process need know.
  bool was_sent = false;
  auto operator<=>(const Caller&) const = default;
};

struct World {
  std::array<Caller, callers_max> caller{};
  std::array<std::int8_t, windows> taken{};
  std::array<std::int8_t, windows> reserved{};
  /// The ledger's reservation: what survives power loss.
  std::array<std::int8_t, windows> durable{};
  std::array<std::int8_t, windows> sent{};
  std::uint8_t today = 0;
  bool has_lost_power = false;
  auto operator<=>(const World&) const = default;

  std::string bytes() const {
    std::string text;
    for (const Caller& one : caller) {
      text += static_cast<char>(one.stage);
      text += static_cast<char>(one.window * 2 + (one.was_sent ? 1 : 0));
    }
    for (std::size_t at = 0; at < windows; ++at) {
      for (const std::int8_t number : {taken[at], reserved[at], durable[at], sent[at]}) {
        text += static_cast<char>(number);
      }
    }
    return text + static_cast<char>(today * 2 + (has_lost_power ? 1 : 0));
  }
};

class Search {
 public:
  explicit Search(Breakage breakage) : breakage_(breakage) {}

  /// Whether the invariant holds in all that is reached.
  bool holds() {
    visit({});
    while (!open_.empty() && is_good_) {
      const World world = open_.front();
      open_.pop_front();
      expand(world);
    }
    return is_good_;
  }
  std::size_t states() const { return seen_.size(); }
  bool was_full() const { return was_full_; }

 private:
  void visit(const World& world) {
    if (!seen_.insert(world.bytes()).second) return;
    open_.push_back(world);
    for (std::size_t at = 0; at < windows; ++at) {
      is_good_ = is_good_ && world.sent[at] <= limit;
      is_good_ = is_good_ && world.taken[at] <= limit && world.taken[at] >= 0;
      // Nothing is reserved in memory that is not on disk.
      is_good_ = is_good_ && world.reserved[at] <= world.durable[at] && world.durable[at] <= limit;
      was_full_ = was_full_ || world.sent[at] == limit;
    }
    // What the upstream saw is charged, whatever died.
    for (std::size_t at = 0; at < windows; ++at)
      is_good_ = is_good_ && world.sent[at] <= world.taken[at];
  }

  void expand(const World& world) {
    for (std::size_t at = 0; at < callers_; ++at) {
      advance(world, at);
      crash(world, at);
      bury(world, at);
    }
    reserve(world);
    World rolled = world;
    rolled.today = 1;
    visit(rolled);
    World back = world;
    back.today = 0;
    visit(back);
    lose_power(world);
  }

  void advance(const World& from, std::size_t at) {
    World world = from;
    Caller& one = world.caller[at];
    switch (one.stage) {
      case Stage::idle:
        one.stage = Stage::claimed;
        one.window = from.today;
        break;
      case Stage::claimed: {
        const int most = std::min<int>(limit, world.reserved[one.window]);
        if (breakage_ != Breakage::reserve_late && world.taken[one.window] >= most) {
          one.stage = Stage::idle;  // refused, or waits
          break;
        }
        if (world.taken[one.window] >= limit) return;
        ++world.taken[one.window];
        one.stage = Stage::taken;
        break;
      }
      case Stage::taken: one.stage = Stage::held; break;
      case Stage::held: {
        World given = world;
        given.caller[at].stage = Stage::returning;
        visit(given);
        one.stage = Stage::sent;
        one.was_sent = true;
        ++world.sent[one.window];
        break;
      }
      case Stage::sent: one = {Stage::done, 0, false}; break;
      case Stage::returning: {
        const std::size_t window =
            breakage_ == Breakage::refund_to_today ? world.today : one.window;
        --world.taken[window];
        one = {};
        break;
      }
      case Stage::done: one = {}; break;
      default: return;
    }
    visit(world);
  }

  void crash(const World& from, std::size_t at) {
    World world = from;
    Caller& one = world.caller[at];
    switch (one.stage) {
      case Stage::claimed: one.stage = Stage::dead_claimed; break;
      case Stage::taken: one.stage = Stage::dead_taken; break;
      case Stage::held:
      case Stage::sent: one.stage = Stage::dead_held; break;
      default: return;
    }
    visit(world);
  }

  void bury(const World& from, std::size_t at) {
    World world = from;
    Caller& one = world.caller[at];
    switch (one.stage) {
      case Stage::dead_claimed:
        if (breakage_ == Breakage::release_untaken) --world.taken[one.window];
        break;
      case Stage::dead_taken: --world.taken[one.window]; break;
      case Stage::dead_held:
        if (breakage_ == Breakage::forget_dead_held) --world.taken[one.window];
        break;
      default: return;
    }
    one = one.stage == Stage::dead_held ? Caller{Stage::done, 0, false} : Caller{};
    visit(world);
    // The heir dies after it released and before it freed the entry: the mark says so, and the next
    // heir only frees it. The model's step is the release; freeing twice changes nothing.
  }

  void reserve(const World& from) {
    const std::size_t window = from.today;
    World world = from;
    world.durable[window] =
        static_cast<std::int8_t>(std::min<int>(limit, world.durable[window] + block));
    // Killed between the commit and the mapping.
    visit(world);
    world.reserved[window] = world.durable[window];
    visit(world);
  }

  void lose_power(const World& from) {
    if (from.has_lost_power) return;
    World world = from;
    world.has_lost_power = true;
    for (Caller& one : world.caller) {
      if (one.stage != Stage::done) one = one.was_sent ? Caller{Stage::done, 0, false} : Caller{};
    }
    for (std::size_t at = 0; at < windows; ++at) {
      world.reserved[at] = world.durable[at];
      if (breakage_ == Breakage::trust_count_after_reboot) world.taken[at] = 0;
      if (breakage_ != Breakage::trust_count_after_reboot) world.taken[at] = world.durable[at];
    }
    visit(world);
  }

  Breakage breakage_;
  std::size_t callers_ = static_cast<std::size_t>(callers());
  std::unordered_set<std::string> seen_;
  std::deque<World> open_;
  bool is_good_ = true;
  bool was_full_ = false;
};

}  // namespace

// The long form: BYWAY_QUOTA_CALLERS=3 build/release/bin/quota_tests "in every state*"
TEST_CASE("in every state that the model reaches no window passes its limit") {
  Search search(Breakage::none);
  CHECK(search.holds());
  CHECK(search.was_full());
  CHECK(search.states() > 10'000);
}

TEST_CASE("the model finds each part of the scheme that is left out") {
  for (const Breakage breakage :
       {Breakage::reserve_late, Breakage::forget_dead_held, Breakage::refund_to_today,
        Breakage::trust_count_after_reboot, Breakage::release_untaken}) {
    INFO("breakage " << static_cast<int>(breakage));
    CHECK(!Search(breakage).holds());
  }
}
