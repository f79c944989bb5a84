// What admission and settlement cost: RPM, TPM, in-flight and four caps, taken and settled.
//   quota_cost FOLDER [CALLS_PER_THREAD]: one JSON line each for 1 and 8 threads on one key.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "bench/meter.hpp"
#include "quota/store_worker.hpp"
#include "store/registry_store.hpp"
#include "store/sqlite_quota.hpp"

namespace byway::policy {
namespace {

std::vector<Limit> limits_of(const std::string& key) {
  const Subject subject = Subject::of("key", key);
  const Subject org = Subject::of("org", "acme");
  constexpr std::int64_t plenty = 1'000'000'000;
  std::vector<Limit> limits;
  const auto add = [&](const Subject& whose, LimitKind kind, QuotaUnit unit, std::uint8_t breadth) {
    Limit limit;
    limit.subject = whose;
    limit.kind = kind;
    limit.unit = unit;
    limit.limit = plenty;
    limit.breadth = breadth;
    limits.push_back(limit);
  };
  add(subject, LimitKind::rate, QuotaUnit::requests, 0);
  add(subject, LimitKind::rate, QuotaUnit::tokens, 0);
  add(subject, LimitKind::in_flight, QuotaUnit::requests, 0);
  add(subject, LimitKind::day, QuotaUnit::requests, 0);
  add(subject, LimitKind::month, QuotaUnit::requests, 0);
  add(org, LimitKind::day, QuotaUnit::requests, 1);
  add(org, LimitKind::month, QuotaUnit::requests, 1);
  return limits;
}

double cpu_of_thread() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

struct Cost {
  double cpu = 0;
  long waits = 0;
};

Cost call_many(Quota& quota, StoreWorker& worker, const std::vector<Limit>& limits, long calls) {
  Cost cost;
  const double begun = cpu_of_thread();
  for (long at = 0; at < calls;) {
    Admission admission = quota.admit(limits, {1, 100, 0}, "bw-req-01J0000000000000000000000");
    if (admission.outcome == Admission::Outcome::wait) {
      ++cost.waits;
      worker.await_round();
      continue;
    }
    if (admission.outcome != Admission::Outcome::admitted) std::exit(3);
    admission.ticket.sent();
    admission.ticket.settle({1, 60, 0});
    ++at;
  }
  cost.cpu = cpu_of_thread() - begun;
  return cost;
}

void measure(Quota& quota, StoreWorker& worker, int threads, long calls) {
  const std::vector<Limit> limits = limits_of("k" + std::to_string(threads));
  call_many(quota, worker, limits, 100'000);
  std::vector<Cost> costs(static_cast<std::size_t>(threads));
  std::vector<std::thread> running;
  running.reserve(costs.size());
  const long allocations = bench::allocations();
  const auto begun = std::chrono::steady_clock::now();
  for (Cost& cost : costs) {
    running.emplace_back([&] { cost = call_many(quota, worker, limits, calls); });
  }
  for (std::thread& thread : running) thread.join();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begun;
  double cpu = 0;
  long waits = 0;
  for (const Cost& cost : costs) cpu += cost.cpu, waits += cost.waits;
  const double all = static_cast<double>(calls) * threads;
  std::printf(
      "{\"name\":\"quota_cost\",\"threads\":%d,\"calls\":%.0f,\"cpu_us_per_call\":%.3f,"
      "\"calls_per_s\":%.0f,\"waits\":%ld,\"allocations_per_call\":%.5f}\n",
      threads, all, cpu * 1e6 / all, all / wall.count(), waits,
      static_cast<double>(bench::allocations() - allocations) / all);
}

}  // namespace
}  // namespace byway::policy

int main(int argc, char** argv) {
  using namespace byway;
  if (argc < 2) return 2;
  const std::string path = std::string(argv[1]) + "/byway.db";
  if (auto made = store::RegistryStore::create(path); !made) return 3;
  auto ledger = store::SqliteQuota::open(path);
  policy::StoreWorker worker;
  policy::QuotaOptions options;
  options.store = path;
  options.wake = [&worker] { worker.wake(); };
  auto quota = policy::Quota::open(std::move(options));
  if (!ledger || !quota) return 4;
  worker.start(**quota, **ledger);
  const long calls = argc > 2 ? std::atol(argv[2]) : 500'000;
  for (const int threads : {1, 8}) policy::measure(**quota, worker, threads, calls);
  worker.stop();
  return 0;
}
