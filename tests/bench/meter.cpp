#include "bench/meter.hpp"

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace byway::bench {

#ifndef BYWAY_BENCH_COUNTS_ALLOCATIONS
long allocations() noexcept {
  return 0;
}
#endif

long resident_kb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::atol(line.c_str() + 6);
  }
  return 0;
}

Meter::Cpu Meter::cpu_now() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return {seconds(usage.ru_utime), seconds(usage.ru_stime)};
}

void Meter::start() {
  begun_ = std::chrono::steady_clock::now();
  cpu_ = cpu_now();
  allocations_ = allocations();
}

double Meter::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
}

double Meter::cpu_seconds() const {
  const Cpu now = cpu_now();
  return now.user - cpu_.user + now.system - cpu_.system;
}

void Meter::print(const char* name, const Options& options, long units) const {
  const Cpu now = cpu_now();
  const long allocated = allocations() - allocations_;
  const auto each = 1e6 / static_cast<double>(units);
  std::printf(
      "{\"name\":\"%s\",\"mode\":\"%s\",\"in_flight\":%d,\"units\":%ld,\"user_us\":%.4f,"
      "\"system_us\":%.4f,\"per_second\":%.0f,\"busy\":%.3f,\"allocations\":%.3f,"
      "\"resident_kb\":%ld}\n",
      name, options.mode_name.c_str(), options.in_flight, units, (now.user - cpu_.user) * each,
      (now.system - cpu_.system) * each, static_cast<double>(units) / seconds(),
      cpu_seconds() / seconds(), static_cast<double>(allocated) / static_cast<double>(units),
      resident_kb());
  std::fflush(stdout);
}

void Standing::print(const char* name, const Options& options) const {
  std::printf(
      "{\"name\":\"%s\",\"mode\":\"%s\",\"in_flight\":%d,\"kb_each\":%.2f,\"open_us_each\":%.1f,"
      "\"idle_cpu_percent\":%.3f,\"wake_us_each\":%.2f}\n",
      name, options.mode_name.c_str(), options.in_flight, kb_each, open_us_each, idle_cpu_percent,
      wake_us_each);
  std::fflush(stdout);
}

}  // namespace byway::bench
