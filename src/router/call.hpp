// Call: one logical request: admitted once, tried until it is decided, settled once, delivered
// once.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <byway/router.hpp>

#include "base/inbox.hpp"
#include "base/request_id.hpp"
#include "router/admission.hpp"
#include "router/attempt.hpp"
#include "router/held_events.hpp"
#include "router/sink.hpp"
#include "transport/event_loop.hpp"

namespace byway::router {

/// Lives inside the object that the caller holds (PendingCall, Stream::State) and keeps it alive
/// while in flight. submit(), cancel() and resume() are safe from any thread; the rest runs on the
/// loop thread.
class Call final : private base::Task, private AttemptOwner {
 public:
  Call() = default;
  ~Call() = default;

  /// Admits on this thread and hands over to the loop, or delivers the refusal at once. `self` is
  /// the object around.
  void submit(Router::Core& core, const Request& request, bool is_streamed, Sink& sink,
              std::weak_ptr<void> self);

  enum class Cancelled : std::uint8_t { now, too_late };
  /// One compare-and-swap. With `deliver`, the completion is request_cancelled; without, nothing is
  /// delivered.
  Cancelled cancel(bool deliver) noexcept;

  /// A paused sink takes events again.
  void resume() noexcept;

  /// From the router: its end is the end of this call. Loop thread only.
  void abandon();

  Call* next_in_flight = nullptr;
  Call** previous_in_flight = nullptr;

 private:
  /// What a deadline does when it comes.
  class CallTimer final : public transport::Timer {
   public:
    CallTimer(Call& call, void (Call::*action)()) noexcept : call_(call), action_(action) {}

   private:
    void on_timer() noexcept override { (call_.*action_)(); }
    Call& call_;
    void (Call::*action_)();
  };

  /// `trying`: an attempt runs. `deciding`: it ended inside a callback, which must return first.
  /// `waiting`: for the next attempt. `draining`: the result is delivered, and the transfer still
  /// gets a moment to end by itself, so that its connection can be used again.
  enum class Stage : std::uint8_t { idle, trying, deciding, waiting, draining, done };
  enum class Ending : std::uint8_t { open, settled, cancelled, dropped };

  void post(unsigned reason) noexcept;
  void run() noexcept override;
  void begin();
  void try_once();
  void arm_deadline();
  void on_deadline();
  void on_pause_over();
  void on_hold_over();
  bool try_again();
  std::chrono::milliseconds retry_delay();
  Response respond();
  Reply take_partial();
  void decide();
  void release_held();
  void finish(Result<Response> result, Reply partial);
  void leave();
  void refuse(Error error);
  Error failure() const;
  Metadata metadata() const;
  std::string provider() const;

  void on_attempt_event(const StreamEvent& event) override;
  Flow on_attempt_pieces_end() override;
  void on_attempt_end(AttemptEnd end, bool is_draining) override;
  void on_attempt_drained() override;

  Router::Core* core_ = nullptr;
  std::shared_ptr<transport::EventLoop> loop_;
  Sink* sink_ = nullptr;
  std::weak_ptr<void> around_;
  std::shared_ptr<void> posted_self_;
  std::shared_ptr<void> in_flight_self_;
  std::atomic<unsigned> reasons_{0};
  std::atomic<Ending> ending_{Ending::open};

  Stage stage_ = Stage::idle;
  bool is_streamed_ = false;
  bool deadline_is_total_ = false;
  /// Something was handed to the sink, so no other attempt may follow.
  bool is_committed_ = false;
  int attempts_max_ = 1;
  int attempts_ = 0;
  /// The most that any attempt may have sent.
  Sent sent_ = Sent::no;
  AttemptPlan plan_;
  AttemptEnd attempt_end_;
  Attempt attempt_{*this};
  HeldEvents held_;
  base::RequestId request_id_{};
  TimePoint begun_;
  std::chrono::nanoseconds overhead_{};
  std::chrono::nanoseconds first_token_{};
  Timeouts timeouts_;
  CallTimer deadline_{*this, &Call::on_deadline};
  CallTimer pause_{*this, &Call::on_pause_over};
  CallTimer hold_{*this, &Call::on_hold_over};
};

}  // namespace byway::router
