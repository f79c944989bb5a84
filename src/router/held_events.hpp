// HeldEvents: events without content that wait for the first one with content.
#pragma once

#include <memory>

#include "router/event_batch.hpp"

namespace byway::router {

/// A retry or another candidate may only follow while the caller has seen nothing. So preamble
/// events (a role, an empty delta) are held back until the first content, an ending, 200 ms or 8
/// events (decisions section 9).
class HeldEvents {
 public:
  static constexpr int events_max = 8;

  void hold(const StreamEvent& event) {
    if (!batch_) batch_ = std::make_unique<EventBatch>();
    batch_->push(event);
    ++count_;
  }
  bool is_empty() const noexcept { return !batch_ || batch_->is_empty(); }
  bool is_full() const noexcept { return count_ >= events_max; }

  template <class F>
  void release(F deliver) {
    if (!batch_) return;
    while (const StreamEvent* event = batch_->next()) deliver(*event);
    clear();
  }
  void clear() {
    batch_.reset();
    count_ = 0;
  }

 private:
  /// Only while events are held, which is a moment of a stream's life.
  std::unique_ptr<EventBatch> batch_;
  int count_ = 0;
};

}  // namespace byway::router
