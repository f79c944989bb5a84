// The duel: processes and threads that spend one cap, against a count of what was really sent.
//   quota_duel FOLDER PROCESSES THREADS CAP TRIED [--idle] [--each] [--kill MS] [--work US]
// --idle: one more process holds the store open and does nothing. --each: every call is a process
// of its own, PROCESSES at a time. --kill: every MS milliseconds one process dies by kill -9 and
// another takes its place. --work: a call takes so long. Prints one JSON line; ends with 1 when the
// cap was passed, a call was refused while units were left, or a sent call is not in the ledger.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "quota/store_worker.hpp"
#include "store/registry_store.hpp"
#include "store/sqlite_quota.hpp"

namespace byway::policy {
namespace {

/// What the "server" and the parent count, in a file of their own that all processes map.
struct Board {
  std::atomic<std::int64_t> sent;
  std::atomic<std::int64_t> refused;
  std::atomic<std::int64_t> tried;
  std::atomic<std::int64_t> failed;
};

struct Duel {
  std::string folder;
  int processes = 8;
  int threads = 64;
  std::int64_t cap = 1000;
  std::int64_t tried = 20000;
  bool has_idle = false;
  bool is_each = false;
  int kill_ms = 0;
  int work_us = 0;
  std::string store() const { return folder + "/byway.db"; }
};

Board* map_board(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ::ftruncate(fd, sizeof(Board)) != 0) std::exit(9);
  void* at = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  return at == MAP_FAILED ? nullptr : static_cast<Board*>(at);
}

std::vector<Limit> limits_of(const Duel& duel) {
  Limit in_flight{Subject::of("key", "k"), LimitKind::in_flight};
  in_flight.limit = 1'000'000;
  Limit day{Subject::of("key", "k"), LimitKind::day};
  day.limit = duel.cap;
  Limit month{Subject::of("org", "o"), LimitKind::month};
  month.limit = duel.cap + 10;
  month.breadth = 1;
  return {in_flight, day, month};
}

void call_once(Quota& quota, StoreWorker& worker, const Duel& duel,
               const std::vector<Limit>& limits, Board& board, std::int64_t number) {
  const std::string label = "call-" + std::to_string(number);
  for (;;) {
    Admission admission = quota.admit(limits, {}, label);
    switch (admission.outcome) {
      case Admission::Outcome::admitted:
        admission.ticket.sent();
        board.sent.fetch_add(1);
        if (duel.work_us > 0) ::usleep(static_cast<useconds_t>(duel.work_us));
        admission.ticket.settle({});
        return;
      case Admission::Outcome::refused: board.refused.fetch_add(1); return;
      case Admission::Outcome::wait: worker.await_round(); break;
      case Admission::Outcome::unavailable: board.failed.fetch_add(1); return;
    }
  }
}

int run_child(const Duel& duel, bool is_idle) {
  Board& board = *map_board(duel.folder + "/board");
  auto ledger = store::SqliteQuota::open(duel.store());
  if (!ledger) return 3;
  StoreWorker worker;
  QuotaOptions options;
  options.store = duel.store();
  options.wake = [&worker] { worker.wake(); };
  auto quota = Quota::open(std::move(options));
  if (!quota) return 4;
  worker.start(**quota, **ledger);
  const std::vector<Limit> limits = limits_of(duel);
  if (is_idle) ::pause();
  std::vector<std::thread> threads;
  for (int at = 0; at < duel.threads; ++at) {
    threads.emplace_back([&] {
      for (;;) {
        const std::int64_t number = board.tried.fetch_add(1);
        if (number >= duel.tried) return;
        call_once(**quota, worker, duel, limits, board, number);
        if (duel.is_each) return;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  worker.stop();
  return (*quota)->close(**ledger) ? 0 : 5;
}

pid_t start(const Duel& duel, bool is_idle = false) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  // A fresh process, as a user's would be.
  const std::string numbers[] = {std::to_string(duel.processes), std::to_string(duel.threads),
                                 std::to_string(duel.cap), std::to_string(duel.tried),
                                 std::to_string(duel.work_us)};
  ::execl("/proc/self/exe", "quota_duel", duel.folder.c_str(), numbers[0].c_str(),
          numbers[1].c_str(), numbers[2].c_str(), numbers[3].c_str(), "--work", numbers[4].c_str(),
          is_idle ? "--be-idle" : "--be-caller", duel.is_each ? "--each" : nullptr, nullptr);
  ::_exit(8);
}

/// Kills one process every `kill_ms` and starts another, until all calls were tried.
int run_killing(const Duel& duel, const Board& board, std::vector<pid_t>& children) {
  std::minstd_rand random(std::random_device{}());
  int kills = 0;
  while (board.tried.load() < duel.tried) {
    ::usleep(static_cast<useconds_t>(duel.kill_ms) * 1000);
    pid_t& child = children[random() % children.size()];
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    child = start(duel);
    ++kills;
  }
  return kills;
}

int run_parent(const Duel& duel) {
  if (auto made = store::RegistryStore::create(duel.store()); !made) return 6;
  Board& board = *map_board(duel.folder + "/board");
  const pid_t idle = duel.has_idle ? start(duel, true) : 0;
  int kills = 0;
  int failed = 0;
  const auto reap = [&](pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    failed += WIFSIGNALED(status) || WEXITSTATUS(status) != 0 ? 1 : 0;
  };
  std::vector<pid_t> children;
  do {
    children.clear();
    for (int at = 0; at < duel.processes; ++at) children.push_back(start(duel));
    if (duel.kill_ms > 0) kills = run_killing(duel, board, children);
    for (const pid_t child : children) reap(child);
  } while (duel.is_each && board.tried.load() < duel.tried);
  auto ledger = store::SqliteQuota::open(duel.store());
  QuotaOptions options;
  options.store = duel.store();
  auto quota = Quota::open(std::move(options));
  if (!ledger || !quota || !(*quota)->work(**ledger)) return 7;
  const std::vector<Limit> limits = limits_of(duel);
  const std::int64_t used = duel.cap - (*quota)->remaining(limits[1]).value_or(-1);
  const std::int64_t stuck = limits[0].limit - (*quota)->remaining(limits[0]).value_or(-1);
  if (!(*quota)->close(**ledger)) return 7;
  if (idle != 0) ::kill(idle, SIGKILL);
  if (idle != 0) ::waitpid(idle, nullptr, 0);
  const std::int64_t doubts = (*ledger)->doubts().value_or(-1);
  const std::int64_t sent = board.sent.load();
  const bool is_whole = sent <= used && used <= duel.cap && used <= sent + doubts && stuck == 0;
  const bool is_spent = used == duel.cap || board.refused.load() == 0;
  const bool is_good = is_whole && is_spent && failed == 0 && board.failed.load() == 0;
  std::printf(
      "{\"cap\":%ld,\"tried\":%ld,\"sent\":%ld,\"refused\":%ld,\"used\":%ld,"
      "\"in_doubt\":%ld,\"kills\":%d,\"still_in_flight\":%ld,\"failed\":%d,\"good\":%s}\n",
      static_cast<long>(duel.cap), static_cast<long>(duel.tried), static_cast<long>(sent),
      static_cast<long>(board.refused.load()), static_cast<long>(used), static_cast<long>(doubts),
      kills, static_cast<long>(stuck), failed, is_good ? "true" : "false");
  return is_good ? 0 : 1;
}

}  // namespace
}  // namespace byway::policy

int main(int argc, char** argv) {
  if (argc < 6) return 2;
  byway::policy::Duel duel{argv[1], std::atoi(argv[2]), std::atoi(argv[3]), std::atoll(argv[4]),
                           std::atoll(argv[5])};
  bool is_child = false;
  bool is_idle = false;
  for (int at = 6; at < argc; ++at) {
    const std::string_view word = argv[at];
    if (word == "--idle") duel.has_idle = true;
    if (word == "--each") duel.is_each = true;
    if (word == "--kill" && at + 1 < argc) duel.kill_ms = std::atoi(argv[++at]);
    if (word == "--work" && at + 1 < argc) duel.work_us = std::atoi(argv[++at]);
    is_idle = is_idle || word == "--be-idle";
    is_child = is_child || word.starts_with("--be-");
  }
  return is_child ? byway::policy::run_child(duel, is_idle) : byway::policy::run_parent(duel);
}
