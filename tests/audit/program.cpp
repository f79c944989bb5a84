// Kill -9 under load: writers that tell through a pipe what they did, against what the log holds.
//   audit_kill FOLDER KILLS [THREADS]
// Two processes write; every few milliseconds one of them dies by kill -9 and another takes its
// place. A call is told to have begun after begin() returned, as a request that leaves would be,
// and to have ended after end() returned, as a result that is handed over would be. Prints one JSON
// line; ends with 1 when anything is missing or doubled, or when the log does not verify.
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "audit/scratch_audit.hpp"

namespace byway::policy {
namespace {

struct Told {
  /// 'B' or 'E'
  char what;
  char id[31];
};

void tell(int pipe, char what, const std::string& id) {
  Told told{};
  told.what = what;
  std::strncpy(told.id, id.c_str(), sizeof told.id - 1);
  // Small writes to a pipe are whole or not at all.
  if (::write(pipe, &told, sizeof told) != sizeof told) std::_Exit(6);
}

int run_writer(const std::string& path, int pipe, int threads) {
  auto store = store::SqliteAudit::open(path, audit_key());
  if (!store) return 3;
  AuditOptions options;
  options.store = path;
  options.cells = 512;
  auto log = AuditLog::open(std::move(options), **store);
  if (!log) return 4;
  std::vector<std::thread> callers;
  for (int thread = 0; thread < threads; ++thread) {
    callers.emplace_back([&, thread] {
      for (int at = 0;; ++at) {
        const std::string id =
            std::to_string(::getpid()) + "-" + std::to_string(thread) + "-" + std::to_string(at);
        auto ticket = (*log)->begin(call_of(id));
        if (!ticket) {
          std::this_thread::yield();
          continue;
        }
        tell(pipe, 'B', id);
        if (at % 7 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
        ticket->end(outcome_of(id));
        tell(pipe, 'E', id);
      }
    });
  }
  for (;;) {
    if (!(*log)->work(**store)) return 5;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

struct Writer {
  pid_t process = 0;
  int pipe = -1;
};

Writer start(const std::string& folder, const std::string& threads) {
  int ends[2];
  if (::pipe(ends) != 0) std::exit(9);
  // The next writer may not hold this one's pipe open.
  ::fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string pipe = std::to_string(ends[1]);
    ::execl("/proc/self/exe", "audit_kill", folder.c_str(), "--write", pipe.c_str(),
            threads.c_str(), nullptr);
    ::_exit(8);
  }
  ::close(ends[1]);
  return {child, ends[0]};
}

struct Seen {
  std::set<std::string> begun;
  std::set<std::string> ended;

  /// Everything that the pipe holds; until its end when its writer is dead.
  void read(int pipe, bool until_end) {
    for (;;) {
      pollfd ready{pipe, POLLIN, 0};
      if (!until_end && ::poll(&ready, 1, 0) <= 0) return;
      Told told{};
      if (::read(pipe, &told, sizeof told) != sizeof told) return;
      (told.what == 'B' ? begun : ended).insert(told.id);
    }
  }
};

int judge(const std::string& path, const Seen& seen, int kills) {
  {
    auto store = must(store::SqliteAudit::open(path, audit_key()));
    AuditOptions options;
    options.store = path;
    auto heir = must(AuditLog::open(std::move(options), *store));
    must(heir->close(*store));
  }
  std::map<std::string, int> intents;
  std::map<std::string, int> outcomes;
  std::map<std::string, int> doubts;
  store::OpenedStore opened = must(store::open_store(path, std::chrono::seconds(5)));
  must(opened.database.run("SELECT bytes FROM audit", {}, [&](const store::Row& row) {
    const std::string bytes = row.bytes(0);
    const AuditFields fields = base::decode_audit(bytes).value();
    auto& counted = fields.kind == AuditKind::intent    ? intents
                    : fields.kind == AuditKind::outcome ? outcomes
                                                        : doubts;
    ++counted[std::string(fields.request_id)];
  }));
  long missing = 0;
  long doubled = 0;
  for (const std::string& id : seen.begun) missing += intents.contains(id) ? 0 : 1;
  for (const std::string& id : seen.ended) missing += outcomes.contains(id) ? 0 : 1;
  for (const auto& [id, count] : intents) {
    const int ends =
        (outcomes.contains(id) ? outcomes[id] : 0) + (doubts.contains(id) ? doubts[id] : 0);
    missing += ends == 0 ? 1 : 0;
    doubled += count > 1 || ends > 1 ? 1 : 0;
  }
  const AuditVerdict verdict = must(store::verify_audit(opened.database, path, audit_key()));
  const bool is_good = missing == 0 && doubled == 0 && verdict.problem.empty();
  std::printf(
      "{\"kills\":%d,\"begun\":%zu,\"ended\":%zu,\"records\":%ld,\"in_doubt\":%zu,"
      "\"missing\":%ld,\"doubled\":%ld,\"problem\":\"%s\",\"good\":%s}\n",
      kills, seen.begun.size(), seen.ended.size(), static_cast<long>(verdict.records),
      doubts.size(), missing, doubled, verdict.problem.c_str(), is_good ? "true" : "false");
  return is_good ? 0 : 1;
}

int run_parent(const std::string& folder, int kills, const std::string& threads) {
  const std::string path = folder + "/byway.db";
  must(must(store::RegistryStore::create(path)).prepare_audit(audit_key(), {}, true));
  std::minstd_rand random(std::random_device{}());
  Seen seen;
  std::vector<Writer> writers = {start(folder, threads), start(folder, threads)};
  for (int kill = 0; kill < kills; ++kill) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(random() % 60);
    do {
      for (const Writer& writer : writers) seen.read(writer.pipe, false);
    } while (std::chrono::steady_clock::now() < end);
    Writer& chosen = writers[random() % writers.size()];
    ::kill(chosen.process, SIGKILL);
    int status = 0;
    ::waitpid(chosen.process, &status, 0);
    seen.read(chosen.pipe, true);
    ::close(chosen.pipe);
    if (!WIFSIGNALED(status)) {
      std::printf("a writer ended by itself with %d\n", WEXITSTATUS(status));
      return 2;
    }
    chosen = start(folder, threads);
  }
  for (const Writer& writer : writers) {
    ::kill(writer.process, SIGKILL);
    ::waitpid(writer.process, nullptr, 0);
    seen.read(writer.pipe, true);
  }
  return judge(path, seen, kills);
}

}  // namespace
}  // namespace byway::policy

int main(int argc, char** argv) {
  using namespace byway::policy;
  if (argc < 3) return 2;
  const std::string folder = argv[1];
  if (std::string_view(argv[2]) == "--write") {
    return run_writer(folder + "/byway.db", std::atoi(argv[3]), std::atoi(argv[4]));
  }
  return run_parent(folder, std::atoi(argv[2]), argc > 3 ? argv[3] : "4");
}
