// Stream::State: the events between the loop thread and the one that reads them.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

#include <byway/stream.hpp>

#include "router/call.hpp"
#include "router/event_batch.hpp"
#include "router/sink.hpp"

namespace byway {

/// The loop thread fills one batch while the reader empties another; they swap under a lock, once
/// per batch and not once per event. When the unread bytes pass the bound the upstream is held back
/// until the reader swaps.
struct Stream::State final : public router::Sink,
                             public std::enable_shared_from_this<Stream::State> {
  void submit(Router::Core& core, const Request& request, std::byte* states);

  const StreamEvent* next();
  Result<Response> result();
  void cancel(bool deliver) noexcept { call_.cancel(deliver); }

  const Reply& reply() const noexcept;
  const Error* error() const noexcept { return error_ ? &*error_ : nullptr; }

  void on_event(const StreamEvent& event) override;
  Flow on_events_end() override;
  void on_done(Result<Response> result, Reply partial) override;

 private:
  bool refill();
  void take_ending();

  // The reader's.
  router::EventBatch reading_;
  std::optional<Error> error_;
  std::optional<Response> response_;
  bool has_ended_ = false;
  bool is_taken_ = false;

  // The loop thread's, until it publishes.
  router::EventBatch filling_;
  std::size_t buffer_bytes_ = 0;
  std::uint32_t fork_generation_ = 0;

  // Shared.
  std::mutex mutex_;
  std::condition_variable changed_;
  router::EventBatch published_;
  bool is_held_ = false;
  /// The reader's once it has seen them.
  std::optional<Result<Response>> ending_;
  std::unique_ptr<Reply> partial_;

  router::Call call_;
};

}  // namespace byway
