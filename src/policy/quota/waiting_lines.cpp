#include "policy/quota/waiting_lines.hpp"

namespace byway::policy {

WaitingLines::WaitingLines(std::uint32_t lines)
    : size_(lines), lines_(std::make_unique<Line[]>(lines)) {}

void WaitingLines::push(Waiter& waiter, std::uint32_t line_at) noexcept {
  Line& line = lines_[line_at];
  waiter.line = line_at;
  waiter.is_parked = true;
  waiter.next = nullptr;
  waiter.previous = line.last;
  (line.last != nullptr ? line.last->next : line.first) = &waiter;
  line.last = &waiter;
  line.count.fetch_add(1, std::memory_order_seq_cst);
  parked_.fetch_add(1, std::memory_order_seq_cst);
}

void WaitingLines::remove(Waiter& waiter) noexcept {
  Line& line = lines_[waiter.line];
  (waiter.previous != nullptr ? waiter.previous->next : line.first) = waiter.next;
  (waiter.next != nullptr ? waiter.next->previous : line.last) = waiter.previous;
  waiter.is_parked = false;
  line.count.fetch_sub(1, std::memory_order_seq_cst);
  parked_.fetch_sub(1, std::memory_order_seq_cst);
}

bool WaitingLines::park(Waiter& waiter, std::uint32_t line, Attempt attempt, void* self) noexcept {
  const std::lock_guard lock(mutex_);
  push(waiter, line);
  for (;;) {
    if (lines_[waiter.line].first != &waiter) return true;
    std::uint32_t blocked = waiter.line;
    attempt(self, waiter, blocked);
    if (waiter.admission.outcome != Admission::Outcome::wait) {
      remove(waiter);
      return false;
    }
    if (blocked == waiter.line) return true;
    remove(waiter);
    push(waiter, blocked);
  }
}

bool WaitingLines::cancel(Waiter& waiter) noexcept {
  const std::lock_guard lock(mutex_);
  if (!waiter.is_parked) return false;
  remove(waiter);
  return true;
}

void WaitingLines::serve(std::uint32_t line_at, Attempt attempt, void* self) noexcept {
  Waiter* ready = nullptr;
  Waiter** end = &ready;
  {
    const std::lock_guard lock(mutex_);
    while (Waiter* waiter = lines_[line_at].first) {
      std::uint32_t blocked = line_at;
      attempt(self, *waiter, blocked);
      const bool waits = waiter->admission.outcome == Admission::Outcome::wait;
      if (waits && blocked == line_at) break;
      remove(*waiter);
      if (waits) {
        push(*waiter, blocked);
        continue;
      }
      waiter->next = nullptr;
      *end = waiter;
      end = &waiter->next;
    }
  }
  while (ready != nullptr) {
    Waiter* waiter = ready;
    ready = waiter->next;
    waiter->resume(*waiter);
  }
}

void WaitingLines::serve_all(Attempt attempt, void* self) noexcept {
  if (is_empty()) return;
  for (std::uint32_t line = 0; line < size_; ++line) {
    if (!is_empty(line)) serve(line, attempt, self);
  }
}

}  // namespace byway::policy
