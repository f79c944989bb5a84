// The duel: whole routers in many processes spend one cap, against a server that counts.
//   proofs_duel [--short]
// Prints one row for each scenario; ends with 1 when a number is wrong. The long form takes about
// two minutes on two cores.
//   admitted       calls that their callers saw answered
//   server saw     requests that reached the server
//   refused        calls that their callers saw refused by the cap
//   wrong          refusals while units were left: 0 unless processes are killed. The units of a
//                  killed process come back within half a second, and meanwhile count as taken
//   ledger         what the cap's durable count says at the end
//   in doubt       of these, calls of killed processes whose end nobody knows
#include <cstdio>
#include <cstring>
#include <exception>

#include "proofs/crew.hpp"
#include "proofs/scene.hpp"

namespace byway::proofs {
namespace {

using std::chrono::milliseconds;

struct Scenario {
  const char* name = "";
  std::int64_t cap = 0;
  std::int64_t tried = 0;
  int processes = 8;
  int threads = 64;
  /// How long the server takes for a call, and how long a caller waits after a refusal.
  milliseconds work = {};
  milliseconds pause = {};
  bool has_idle = false;
  bool is_each = false;
  /// Between two kills; 0 is none.
  milliseconds kill_every = {};
};

struct Row {
  Numbers seen = {};
  Told told = {};
  Books books = {};
  std::int64_t tried = 0;
  int kills = 0;
  bool has_ended_well = false;

  std::int64_t saw() const { return static_cast<std::int64_t>(seen.size()); }
  std::int64_t admitted() const { return static_cast<std::int64_t>(told.admitted.size()); }
  std::int64_t refused() const { return static_cast<std::int64_t>(told.refused.size()); }
  std::int64_t wrong(std::int64_t cap) const { return std::min(refused(), cap - books.used); }
};

Row play(const Scenario& scenario) {
  Scene scene(scenario.cap, scenario.work);
  Crew crew({.store = scene.store(),
             .key = scene.key(),
             .processes = scenario.processes,
             .threads = scenario.threads,
             .calls = scenario.tried,
             .is_each = scenario.is_each,
             .pause = scenario.pause});
  if (scenario.has_idle) crew.start_idle();
  crew.start();
  std::minstd_rand random(std::random_device{}());
  while (scenario.kill_every.count() > 0 && !crew.has_tried_all()) {
    std::this_thread::sleep_for(scenario.kill_every);
    if (!crew.kill_one(random)) break;
  }
  Row row;
  row.has_ended_well = crew.finish();
  row.seen = scene.server().seen();
  row.told = crew.told();
  row.tried = crew.tried();
  row.kills = crew.kills();
  row.books = scene.books();
  return row;
}

/// Why the row is wrong; empty when it is right.
std::string fault_of(const Scenario& scenario, const Row& row) {
  const Books& books = row.books;
  if (!row.has_ended_well) return "a process ended badly";
  if (!row.told.failed.empty()) return "a call failed: " + row.told.first_failure;
  if (!row.told.no_room.empty()) return "the audit log had no room";
  if (row.saw() > scenario.cap || books.used > scenario.cap) return "the cap was passed";
  if (books.used < row.saw()) return "a call that the server saw is not in the ledger";
  if (books.used > row.saw() + books.doubts) return "the ledger counts calls that nobody made";
  if (books.still_in_flight != 0) return "an in-flight share is stuck";
  if (!books.problem.empty()) return books.problem;
  for (const auto& [number, times] : row.seen) {
    if (times != 1) return "a call was sent twice";
    if (!books.intents.contains(number)) return "a request without an intent";
    if (!books.has_end(number)) return "a request without an end";
  }
  for (const auto& one : row.told.admitted) {
    if (!row.seen.contains(one.first)) return "an answer without a request";
    if (!books.outcomes.contains(one.first)) return "an answer without an outcome";
  }
  if (scenario.kill_every.count() > 0) return {};
  const std::int64_t fitting = std::min(scenario.cap, scenario.tried);
  if (row.wrong(scenario.cap) != 0) return "a call was refused while units were left";
  if (row.saw() != fitting || row.admitted() != fitting) return "not all that fitted was admitted";
  if (row.refused() != scenario.tried - fitting) return "a call is missing";
  if (books.doubts != 0) return "calls in doubt, and nobody died";
  return {};
}

bool show(const Scenario& scenario) {
  const Row row = play(scenario);
  const std::string fault = fault_of(scenario, row);
  std::printf("%-34s %6d %6ld %6ld %9ld %11ld %8ld %6ld %7ld %9ld  %s\n", scenario.name, row.kills,
              static_cast<long>(row.tried), static_cast<long>(scenario.cap),
              static_cast<long>(row.admitted()), static_cast<long>(row.saw()),
              static_cast<long>(row.refused()), static_cast<long>(row.wrong(scenario.cap)),
              static_cast<long>(row.books.used), static_cast<long>(row.books.doubts),
              fault.empty() ? "right" : fault.c_str());
  std::fflush(stdout);
  return fault.empty();
}

constexpr Scenario long_form[] = {
    {.name = "8 processes x 64 threads", .cap = 1000, .tried = 20'000},
    {.name = "the same, nearly all fit", .cap = 1003, .tried = 1040},
    {.name = "the same, one more process idle", .cap = 1003, .tried = 1040, .has_idle = true},
    {.name = "each call its own process", .cap = 1003, .tried = 1040, .is_each = true},
    {.name = "a process killed every 200 ms",
     .cap = 1000,
     .tried = 20'000,
     .work = milliseconds(500),
     .pause = milliseconds(100),
     .kill_every = milliseconds(200)},
    {.name = "the same, a larger cap",
     .cap = 10'000,
     .tried = 20'000,
     .work = milliseconds(250),
     .pause = milliseconds(100),
     .kill_every = milliseconds(200)},
};

constexpr Scenario short_form[] = {
    {.name = "2 processes x 8 threads", .cap = 60, .tried = 300, .processes = 2, .threads = 8},
    {.name = "the same, one more process idle",
     .cap = 53,
     .tried = 60,
     .processes = 2,
     .threads = 8,
     .has_idle = true},
    {.name = "each call its own process",
     .cap = 5,
     .tried = 7,
     .processes = 2,
     .is_each = true},
    {.name = "a process killed every 100 ms",
     .cap = 60,
     .tried = 400,
     .processes = 2,
     .threads = 8,
     .work = milliseconds(50),
     .pause = milliseconds(20),
     .kill_every = milliseconds(100)},
};

int run(std::span<const Scenario> scenarios) {
  std::printf("%-34s %6s %6s %6s %9s %11s %8s %6s %7s %9s\n", "scenario", "kills", "tried", "cap",
              "admitted", "server saw", "refused", "wrong", "ledger", "in doubt");
  bool is_right = true;
  for (const Scenario& scenario : scenarios) is_right = show(scenario) && is_right;
  return is_right ? 0 : 1;
}

}  // namespace
}  // namespace byway::proofs

int main(int argc, char** argv) {
  using namespace byway::proofs;
  if (const int status = Crew::called(argc, argv); status >= 0) return status;
  const bool is_short = argc == 2 && std::strcmp(argv[1], "--short") == 0;
  if (argc > 1 && !is_short) return std::fprintf(stderr, "proofs_duel [--short]\n"), 2;
  try {
    return is_short ? run(short_form) : run(long_form);
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 2;
  }
}
