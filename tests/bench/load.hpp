// What the load programs share: their options, the request, the figures they print.
#pragma once

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

namespace byway::bench {

/// PROGRAM PORT IN_FLIGHT TOTAL [json|burst|paced|idle]
struct Options {
  int port = 0;
  int in_flight = 64;
  long total = 20000;
  std::string mode = "json";

  Options(int argc, char** argv) {
    if (argc < 4) {
      std::fprintf(stderr, "usage: %s PORT IN_FLIGHT TOTAL [json|burst|paced|idle]\n", argv[0]);
      std::exit(2);
    }
    port = std::atoi(argv[1]);
    in_flight = std::atoi(argv[2]);
    total = std::atol(argv[3]);
    if (argc > 4) mode = argv[4];
  }
  bool is_stream() const { return mode != "json"; }
  std::string base_url() const {
    return "http://127.0.0.1:" + std::to_string(port) + "/" + (mode == "json" ? "v1" : mode);
  }
};

inline constexpr const char* bearer =
    "Authorization: Bearer sk-bench-0123456789abcdef0123456789abcdef";

/// About 1 kB, as the upstream gets it.
inline std::string request_body(const std::string& model, bool is_stream, bool says_stream) {
  std::string text;
  while (text.size() < 820) text += "Please summarise the following ticket in two sentences. ";
  std::string body =
      R"({"model":")" + model + R"(","temperature":0.2,"max_tokens":64,"messages":[)" +
      R"({"role":"system","content":"You are a helpful assistant."},{"role":"user","content":")" +
      text + "\"}]";
  if (says_stream) body += std::string(",\"stream\":") + (is_stream ? "true" : "false");
  return body + "}";
}

class Meter {
 public:
  Meter() { start(); }
  void start() {
    wall_ = std::chrono::steady_clock::now();
    cpu_ = cpu_now();
  }
  double cpu_seconds() const { return cpu_now() - cpu_; }
  double wall_seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_).count();
  }
  /// One JSON object on one line, for the runner.
  void print(const char* name, const Options& options, double units) const {
    std::printf(
        "{\"name\":\"%s\",\"mode\":\"%s\",\"in_flight\":%d,\"units\":%.0f,\"cpu_us\":%.4f,\"per_"
        "second\":%.0f,"
        "\"rss_kb\":%ld}\n",
        name, options.mode.c_str(), options.in_flight, units, cpu_seconds() / units * 1e6,
        units / wall_seconds(), rss_kb());
  }
  static long rss_kb() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) return std::atol(line.c_str() + 6);
    }
    return 0;
  }

 private:
  static double cpu_now() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }

  std::chrono::steady_clock::time_point wall_;
  double cpu_ = 0;
};

}  // namespace byway::bench
