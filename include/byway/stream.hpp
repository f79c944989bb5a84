// Stream: a cursor over the events of a streamed reply.
#pragma once

#include <memory>
#include <optional>

#include <byway/response.hpp>
#include <byway/result.hpp>
#include <byway/stream_event.hpp>

namespace byway {

/// The events of one streamed call, read one after the other. *One thread at a time.* Dropping it
/// cancels the call and closes the connection. Events wait in a bounded buffer; when it is full the
/// upstream is held back, so a slow reader costs no memory.
///
///     auto stream = router.stream({...});
///     while (const StreamEvent* event = stream.next()) fmt::print("{}", event->text);
///     if (auto reply = stream.result(); !reply) return fail(reply.error());
class Stream {
 public:
  /// Waits for the next event. The event and all its views live until the next call of next(),
  /// result() or the destructor; under address sanitizer older ones are poisoned. Null once the
  /// stream has ended, well or not; on a loop thread at once, and the error is
  /// internal_would_block_loop while the stream stays usable elsewhere.
  const StreamEvent* next();

  /// How the stream ended, with the folded reply; waits for the end, dropping events that were not
  /// read. A second call gives request_already_taken.
  Result<Response> result();

  /// The folded reply: once next() has returned null, whole or as far as it came; empty before
  /// that, and once result() has handed it over.
  const Reply& reply() const noexcept;

  /// The error that ended the stream, or null while it runs or when it ended well.
  const Error* error() const noexcept;

  /// Ends the call with request_cancelled unless it has ended already; never blocks. *Safe from any
  /// thread.*
  void cancel() noexcept;

  struct State;
  explicit Stream(std::shared_ptr<State> state) noexcept;  // made by the router
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  Stream(const Stream&) = delete;
  ~Stream();

 private:
  std::shared_ptr<State> state_;
};

}  // namespace byway
