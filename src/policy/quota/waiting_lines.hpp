// WaitingLines: calls that wait for their turn, first come first served, in each line.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "policy/quota/admission.hpp"

namespace byway::policy {

/// One line for each count (now and then two share one). *Safe from any thread.* Whether anybody
/// waits is known without a lock.
class WaitingLines {
 public:
  explicit WaitingLines(std::uint32_t lines);

  bool is_empty() const noexcept { return parked_.load(std::memory_order_seq_cst) == 0; }
  bool is_empty(std::uint32_t line) const noexcept {
    return lines_[line].count.load(std::memory_order_seq_cst) == 0;
  }
  std::uint32_t parked() const noexcept { return parked_.load(std::memory_order_seq_cst); }

  /// `attempt(waiter, line)` fills waiter.admission; when it says wait, it sets `line`.
  using Attempt = void (*)(void* self, Waiter& waiter, std::uint32_t& line) noexcept;

  /// Puts the waiter at the end of the line. When it is the first there, tries once more, so that
  /// what came free in between is not missed; false when that settled it.
  bool park(Waiter& waiter, std::uint32_t line, Attempt attempt, void* self) noexcept;
  /// True when the waiter was taken out and will not be resumed.
  bool cancel(Waiter& waiter) noexcept;
  /// Serves the line as far as it goes.
  void serve(std::uint32_t line, Attempt attempt, void* self) noexcept;
  void serve_all(Attempt attempt, void* self) noexcept;

 private:
  struct Line {
    std::atomic<std::uint32_t> count{0};
    Waiter* first = nullptr;
    Waiter* last = nullptr;
  };
  void push(Waiter& waiter, std::uint32_t line) noexcept;
  void remove(Waiter& waiter) noexcept;

  std::uint32_t size_;
  std::unique_ptr<Line[]> lines_;
  std::mutex mutex_;
  std::atomic<std::uint32_t> parked_{0};
};

}  // namespace byway::policy
