// Interrupt: Ctrl-C as a call of ours instead of the end of the process.
#pragma once

#include <atomic>
#include <csignal>
#include <functional>
#include <thread>

namespace byway::cli {

/// While it lives, the first SIGINT or SIGTERM runs `on_interrupt` on a thread of its own; a second
/// one ends the process at once, for whoever does not want to wait.
class Interrupt {
 public:
  explicit Interrupt(std::function<void()> on_interrupt);
  Interrupt(const Interrupt&) = delete;
  ~Interrupt();

  bool has_happened() const noexcept { return signal_ != 0; }
  /// 128 + the signal, as shells expect it.
  int exit_code() const noexcept { return 128 + signal_; }

 private:
  void watch();

  std::function<void()> on_interrupt_;
  std::atomic<int> signal_{0};
  sigset_t before_{};
  int signals_ = -1;
  int ending_ = -1;
  std::thread watcher_;
};

}  // namespace byway::cli
