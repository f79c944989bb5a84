// What the audit log costs a call, and how many records it makes durable.
//   audit_bench FOLDER [RECORDS]: one JSON line each: begin and end on 1 and 8 threads, relaxed,
//   and strict with as many callers as commit together.
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <thread>
#include <vector>

#include "audit/scratch_audit.hpp"
#include "bench/meter.hpp"

namespace byway::policy {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

double cpu_of_thread() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// The store thread.
class Worker {
 public:
  void wake() {
    const std::lock_guard lock(mutex_);
    is_asked_ = true;
    changed_.notify_one();
  }
  void start(AuditLog& log, AuditStore& store) {
    thread_ = std::thread([&] {
      std::unique_lock lock(mutex_);
      while (!is_stopped_) {
        is_asked_ = false;
        lock.unlock();
        const auto next = must(log.work(store));
        lock.lock();
        cpu = cpu_of_thread();
        changed_.wait_for(lock, next, [&] { return is_asked_ || is_stopped_; });
      }
    });
  }
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      is_stopped_ = true;
      changed_.notify_one();
    }
    thread_.join();
  }
  double cpu = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_asked_ = false;
  bool is_stopped_ = false;
  std::thread thread_;
};

struct Blocking : DurableWaiter {
  Blocking() {
    resume = [](DurableWaiter& waiter) noexcept {
      auto& self = static_cast<Blocking&>(waiter);
      const std::lock_guard lock(self.mutex);
      self.is_done = true;
      self.changed.notify_one();
    };
  }
  void wait(AuditTicket& ticket) {
    is_done = false;
    if (!ticket.when_durable(*this)) return;
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return is_done; });
  }
  std::mutex mutex;
  std::condition_variable changed;
  bool is_done = false;
};

double call_many(AuditLog& log, long calls, bool is_strict) {
  Blocking waiter;
  double cpu = 0;
  for (long at = 0; at < calls;) {
    const double before = cpu_of_thread();
    auto ticket = log.begin(call_of("bw-req-01J0000000000000000000000A"));
    if (!ticket) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      continue;
    }
    if (is_strict) waiter.wait(*ticket);
    ticket->end(outcome_of("bw-req-01J0000000000000000000000A"));
    if (is_strict) waiter.wait(*ticket);
    cpu += cpu_of_thread() - before;
    ++at;
  }
  return cpu;
}

void measure(const char* name, int threads, long records, bool is_strict) {
  const ScratchAudit scratch;
  auto store = scratch.open_store();
  Worker worker;
  auto log = scratch.open_log(*store, 32768, [&] { worker.wake(); });
  worker.start(*log, *store);
  const long calls = records / 2 / threads;
  std::vector<double> cpu(static_cast<std::size_t>(threads));
  std::vector<std::thread> callers;
  const auto begun = Clock::now();
  for (double& one : cpu) {
    callers.emplace_back([&] { one = call_many(*log, calls, is_strict); });
  }
  for (std::thread& caller : callers) caller.join();
  worker.stop();
  must(log->close(*store));
  const double wall = seconds_since(begun);
  const auto done = static_cast<double>(log->counts().durable);
  std::printf(
      "{\"name\":\"%s\",\"threads\":%d,\"records\":%.0f,\"records_per_s\":%.0f,"
      "\"store_thread_us_per_record\":%.2f}\n",
      name, threads, done, done / wall, worker.cpu * 1e6 / done);
}

/// What a call pays on its own thread: 10,000 at a time into an empty ring.
void measure_calls(int threads) {
  const ScratchAudit scratch;
  auto store = scratch.open_store();
  auto log = scratch.open_log(*store, 32768);
  constexpr int rounds = 10;
  const long calls = 10'000 / threads;
  double cpu = 0;
  long allocated = 0;
  for (int round = 0; round <= rounds; ++round) {
    std::vector<double> costs(static_cast<std::size_t>(threads));
    std::vector<std::thread> callers;
    const long before = bench::allocations();
    for (double& cost : costs) {
      callers.emplace_back([&] {
        const double begun = cpu_of_thread();
        for (long at = 0; at < calls; ++at) {
          auto ticket = log->begin(call_of("bw-req-01J0000000000000000000000A"));
          ticket->end(outcome_of("bw-req-01J0000000000000000000000A"));
        }
        cost = cpu_of_thread() - begun;
      });
    }
    for (std::thread& caller : callers) caller.join();
    allocated = bench::allocations() - before;
    // The first round touches the pages for the first time.
    if (round > 0) {
      for (const double cost : costs) cpu += cost;
    }
    while (must(log->work(*store)).count() == 0) {
    }
  }
  const double all = static_cast<double>(calls * threads);
  std::printf(
      "{\"name\":\"audit_call\",\"threads\":%d,\"ns_per_begin_and_end\":%.0f,"
      "\"allocations_per_call\":%.4f}\n",
      threads, cpu * 1e9 / all / rounds, static_cast<double>(allocated) / all);
}

}  // namespace
}  // namespace byway::policy

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  ::setenv("TMPDIR", argv[1], 1);
  const long records = argc > 2 ? std::atol(argv[2]) : 400'000;
  byway::policy::measure_calls(1);
  byway::policy::measure_calls(8);
  byway::policy::measure("audit_relaxed", 4, records, false);
  byway::policy::measure("audit_strict", 64, records / 10, true);
  byway::policy::measure("audit_strict", 256, records / 10, true);
  return 0;
}
