// Kill -9 under load: whole routers that are killed, against what the audit log holds.
//   proofs_kills KILLS [--strict]
// Three processes of eight threads call; every 20 to 200 milliseconds one of them dies by kill -9
// and another takes its place. Prints one line; ends with 1 when a request that the server saw has
// no intent, a result that a caller told has no outcome, a call has no end or two, or the log does
// not verify. A call that is refused since the log has no room (a disk that stands still for
// seconds) is counted and proves nothing.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "proofs/crew.hpp"
#include "proofs/scene.hpp"

namespace byway::proofs {
namespace {

using std::chrono::milliseconds;

struct Counts {
  long missing_intents = 0;
  long missing_outcomes = 0;
  long missing_ends = 0;
  long doubled = 0;
  long sent_twice = 0;
};

Counts compare(const Numbers& seen, const Told& told, const Books& books) {
  Counts counts;
  for (const auto& [number, times] : seen) {
    counts.missing_intents += books.intents.contains(number) ? 0 : 1;
    counts.sent_twice += times == 1 ? 0 : 1;
  }
  for (const auto& one : told.admitted) {
    counts.missing_outcomes += books.outcomes.contains(one.first) ? 0 : 1;
  }
  for (const auto& [number, times] : books.intents) {
    counts.missing_ends += books.has_end(number) ? 0 : 1;
    const bool has_two_ends = books.outcomes.contains(number) && books.in_doubt.contains(number);
    counts.doubled += times > 1 || has_two_ends ? 1 : 0;
  }
  for (const auto* ends : {&books.outcomes, &books.in_doubt}) {
    for (const auto& one : *ends) counts.doubled += one.second > 1 ? 1 : 0;
  }
  return counts;
}

int run(int kills, bool is_strict) {
  Scene scene(0, milliseconds(5), is_strict);
  Crew crew({.store = scene.store(),
             .key = scene.key(),
             .processes = 3,
             .threads = 8,
             .has_streams = true});
  crew.start();
  std::minstd_rand random(std::random_device{}());
  while (crew.kills() < kills) {
    std::this_thread::sleep_for(milliseconds(20 + random() % 181));
    if (!crew.kill_one(random)) break;
  }
  crew.kill_all();
  const Numbers seen = scene.server().seen();
  const Told& told = crew.told();
  const Books books = scene.books();
  const Counts counts = compare(seen, told, books);
  const long missing = counts.missing_intents + counts.missing_outcomes + counts.missing_ends;
  const bool is_right = missing == 0 && counts.doubled == 0 && counts.sent_twice == 0 &&
                        told.failed.empty() && books.problem.empty() && crew.kills() == kills;
  std::printf(
      "%d kills, %s: the server saw %zu requests, callers told %zu results (%zu without room, "
      "%zu failed%s%s); "
      "%zu intents, %zu outcomes, %zu in doubt; missing %ld, doubled %ld, sent twice %ld; %s; %s\n",
      crew.kills(), is_strict ? "strict" : "relaxed", seen.size(), told.admitted.size(),
      told.no_room.size(), told.failed.size(), told.failed.empty() ? "" : ": ",
      told.first_failure.c_str(), books.intents.size(), books.outcomes.size(),
      books.in_doubt.size(), missing, counts.doubled, counts.sent_twice,
      books.problem.empty() ? "the log is good" : books.problem.c_str(),
      is_right ? "right" : "wrong");
  return is_right ? 0 : 1;
}

}  // namespace
}  // namespace byway::proofs

int main(int argc, char** argv) {
  using namespace byway::proofs;
  if (const int status = Crew::called(argc, argv); status >= 0) return status;
  const bool is_strict = argc == 3 && std::strcmp(argv[2], "--strict") == 0;
  const int kills = argc > 1 ? std::atoi(argv[1]) : 0;
  if (kills < 1 || (argc > 2 && !is_strict)) {
    return std::fprintf(stderr, "proofs_kills KILLS [--strict]\n"), 2;
  }
  try {
    return run(kills, is_strict);
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 2;
  }
}
