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
#include "router/call_policies.hpp"
#include "router/charge.hpp"
#include "router/held_events.hpp"
#include "router/hooked_events.hpp"
#include "router/limit_turn.hpp"
#include "router/sink.hpp"
#include "transport/event_loop.hpp"

namespace byway::router {

/// Lives inside the object that the caller holds (PendingCall, Stream::State) and keeps it alive
/// while in flight. submit(), cancel() and resume() are safe from any thread; the rest runs on the
/// loop thread.
class Call final : private base::Task,
                   private AttemptOwner,
                   private PoliciesOwner,
                   private HookedEventsOwner {
 public:
  Call() = default;
  ~Call() = default;

  /// Where a call lives.
  struct Place {
    /// The object around.
    std::weak_ptr<void> self;
    /// core.chain.state_bytes() bytes in the same allocation.
    std::byte* states = nullptr;
  };
  /// Admits on this thread as far as no policy waits and hands over to the loop, or delivers the
  /// refusal at once.
  void submit(Router::Core& core, const Request& request, bool is_streamed, Sink& sink,
              Place place);

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

  /// `admitting`: a policy waits. `queued`: the endpoint has no share free. `trying`: an attempt
  /// runs. `deciding`: it ended inside a callback, which must return first. `waiting`: for the next
  /// attempt. `recording`: the result waits for its audit record to be durable. `draining`: the
  /// result is delivered, and the transfer still gets a moment to end by itself, so that its
  /// connection can be used again.
  enum class Stage : std::uint8_t {
    idle,
    admitting,
    queued,
    trying,
    deciding,
    waiting,
    recording,
    draining,
    done
  };
  enum class Ending : std::uint8_t { open, settled, cancelled, dropped };

  /// Why run() runs, as bits.
  static constexpr unsigned reason_submit = 1;
  static constexpr unsigned reason_cancel = 2;
  static constexpr unsigned reason_resume = 4;
  static constexpr unsigned reason_decide = 8;
  static constexpr unsigned reason_admit = 16;

  void post(unsigned reason) noexcept;
  void run() noexcept override;
  Result<void> prepare(const Request& request);
  void admit_here();
  void begin();
  void go_on();
  void admit_on_loop();
  void try_once();
  bool enter_endpoint();
  void leave_endpoint(const UpstreamEnding& ending) noexcept;
  void wait_for_resume();
  void arm_deadline();
  void on_deadline();
  void on_pause_over();
  void on_hold_over();
  bool try_again();
  bool wait_until(TimePoint next);
  std::chrono::milliseconds retry_delay();
  void hand_over(const StreamEvent& event);
  Response respond();
  void tell_reply(const Response& response);
  Reply take_partial();
  void decide();
  bool try_with_fresh_token();
  void release_held();
  void finish(Result<Response> result, Reply partial);
  void deliver(Result<Response> result, Reply partial);
  void on_recorded();
  void leave();
  void conclude(Result<Response> result);
  void complete(Response& answer) const;
  void complete_metadata(Result<Response>& result, const Reply& partial) const;
  void settle(const Result<Response>& result, const Reply& partial) noexcept;
  Error about_this(Error error) const;
  Error failure() const;
  Metadata metadata() const;
  std::string_view provider() const;

  std::shared_ptr<void> hold() const noexcept override { return place_.self.lock(); }
  void on_resumed() noexcept override;
  Result<std::string_view> on_new_body(std::string body) override;
  void on_hooked_event(const StreamEvent& event) override;

  void on_attempt_event(const StreamEvent& event) override;
  bool on_attempt_bytes(const wire::SseEvent& event) override { return hooked_->feed(event); }
  bool on_attempt_whole(std::string& body) override { return hooked_->feed_whole(body); }
  Flow on_attempt_pieces_end() override;
  void on_attempt_end(AttemptEnd end, bool is_draining) override;
  void on_attempt_drained() override;

  Router::Core* core_ = nullptr;
  std::shared_ptr<transport::EventLoop> loop_;
  Sink* sink_ = nullptr;
  Place place_;
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
  /// Of the last answer; 0 for none.
  int status_ = 0;
  /// The most that any attempt may have sent.
  Sent sent_ = Sent::no;
  AttemptPlan plan_;
  /// Of an alias that was named.
  std::shared_ptr<const Alias> alias_;
  bool is_fallback_ = false;
  std::shared_ptr<const registry::KeyRecord> key_;
  std::shared_ptr<const policy::LimitList> limits_;
  std::string org_;
  /// As the caller of a refused call wrote it.
  std::string model_asked_;
  CallPolicies policies_{*this};
  std::unique_ptr<HookedEvents> hooked_;
  /// What the attempt holds of the endpoint's limits.
  LimitTurn endpoint_turn_;
  AttemptEnd attempt_end_;
  /// What a caller is told once it is recorded.
  struct Told {
    Result<Response> result;
    Reply partial;
  };
  std::unique_ptr<Told> told_;
  /// An earlier attempt may have used all that it held.
  bool has_unknown_attempt_ = false;
  /// Nobody wants to hear of the result.
  bool is_dropped_ = false;
  Attempt attempt_{*this};
  HeldEvents held_;
  base::RequestId request_id_{};
  TimePoint begun_;
  std::chrono::nanoseconds overhead_{};
  /// Spent waiting for admission.
  std::chrono::nanoseconds queued_{};
  TimePoint parked_at_;
  std::chrono::nanoseconds first_token_{};
  Timeouts timeouts_;
  CallTimer deadline_{*this, &Call::on_deadline};
  CallTimer pause_{*this, &Call::on_pause_over};
  CallTimer hold_{*this, &Call::on_hold_over};
};

}  // namespace byway::router
