// Crew: processes of many threads that make numbered calls through routers of their own.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace byway::proofs {

/// What a crew is told to do.
struct Orders {
  std::string store = {};
  /// The customer key of all calls.
  std::string key = {};
  int processes = 8;
  int threads = 64;
  /// In all; calls are numbered from 0 and each is made once.
  std::int64_t calls = std::numeric_limits<std::int64_t>::max();
  /// Every process makes one call and ends.
  bool is_each = false;
  /// How long a caller waits after a refusal.
  std::chrono::milliseconds pause = {};
  /// Every third call is a stream.
  bool has_streams = false;
};

/// What the callers saw, by the number of the call.
struct Told {
  std::map<std::int64_t, int> admitted = {};
  std::map<std::int64_t, int> refused = {};
  /// The audit log had no room: the disk was slower than the calls.
  std::map<std::int64_t, int> no_room = {};
  /// Anything else.
  std::map<std::int64_t, int> failed = {};
  /// How the first of these failed.
  std::string first_failure = {};
};

/// Starts, kills and awaits such processes, which are this program again: its main() calls
/// `called()` first. *One thread at a time.*
class Crew {
 public:
  explicit Crew(Orders orders);
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  ~Crew();

  /// Makes calls when that is what the program was started for, and gives its exit status; -1 when
  /// not.
  static int called(int argc, char** argv);

  /// Fills up to as many processes as were ordered.
  void start();
  /// One more process, which opens the store and does nothing until the end.
  void start_idle();
  /// Kills one by -9, chosen at random, and starts another in its place; first waits until somebody
  /// has called since the last kill, since nobody ever would where processes are killed faster than
  /// they start. False when nobody does for half a minute.
  bool kill_one(std::minstd_rand& random);
  /// Waits until all calls were tried and their processes have ended. False when one ended badly.
  bool finish();
  /// Kills all by -9.
  void kill_all();

  bool has_tried_all() const noexcept { return next_->load() >= orders_.calls; }
  std::int64_t tried() const noexcept { return std::min(next_->load(), orders_.calls); }
  int kills() const noexcept { return kills_; }
  /// After finish() or kill_all(): everything that was told before its process ended.
  const Told& told();

 private:
  pid_t spawn(const char* part) const;
  void listen();

  const Orders orders_;
  /// The number of the next call, in memory that all processes map.
  int memory_ = -1;
  std::atomic<std::int64_t>* next_ = nullptr;
  /// Small writes to a pipe are whole or not at all, and outlive their writer.
  int ends_[2] = {-1, -1};
  std::vector<pid_t> running_ = {};
  pid_t idle_ = 0;
  int kills_ = 0;
  std::int64_t tried_at_kill_ = 0;
  Told told_ = {};
  std::thread listener_ = {};
};

}  // namespace byway::proofs
