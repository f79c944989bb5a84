// Meter: what a piece of work cost this process, printed as one JSON object for tests/bench/run.
#pragma once

#include <chrono>
#include <string>

#include "bench/load.hpp"

namespace byway::bench {

/// Memory of this process that is in RAM, in kB.
long resident_kb();

/// Allocations so far, on all threads; 0 but in the programs built for counting.
long allocations() noexcept;

/// Processor time is the whole process's, all threads, user and system.
class Meter {
 public:
  Meter() { start(); }
  void start();

  double seconds() const;
  double cpu_seconds() const;
  /// Cost per unit, and units per second.
  void print(const char* name, const Options& options, long units) const;

 private:
  struct Cpu {
    double user = 0;
    double system = 0;
  };
  static Cpu cpu_now();

  std::chrono::steady_clock::time_point begun_ = {};
  Cpu cpu_ = {};
  long allocations_ = 0;
};

/// Cost of `in_flight` idle streams or held calls: memory each, and processor time while idle.
struct Standing {
  double kb_each = 0;
  double open_us_each = 0;
  double idle_cpu_percent = 0;
  double wake_us_each = 0;
  void print(const char* name, const Options& options) const;
};

}  // namespace byway::bench
