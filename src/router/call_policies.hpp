// CallPolicies: the policies around one call: their states, and where admission stands.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <byway/policy.hpp>

#include "policy/limit_list.hpp"
#include "router/attempt.hpp"
#include "router/chain.hpp"

namespace byway::router {

/// For who wakes a call from a place inside that call: it must stay until the waking is done.
struct HeldResume {
  Resume resume;
  std::shared_ptr<void> call;
};

/// The call around, as its policies reach it.
class PoliciesOwner {
 public:
  /// Keeps the call alive.
  virtual std::shared_ptr<void> hold() const noexcept = 0;
  /// From any thread, while the call is held: admission goes on.
  virtual void on_resumed() noexcept = 0;
  /// A hook wants another body; what body() is afterwards comes back.
  virtual Result<std::string_view> on_new_body(std::string body) = 0;

 protected:
  ~PoliciesOwner() = default;
};

/// One thread at a time but for Resume, which any thread may use.
class CallPolicies final : public CallState, private Resume::Token {
 public:
  explicit CallPolicies(PoliciesOwner& owner) noexcept : owner_(owner) {}
  ~CallPolicies();

  /// `states` has chain.state_bytes() bytes and outlives this.
  void begin(std::shared_ptr<const Chain> chain, std::byte* states) noexcept;
  bool has_begun() const noexcept { return chain_ != nullptr; }
  CallFacts& edit_facts() noexcept { return facts_; }
  /// For Byway's own policies: what the call is held to (may be null), and what will be sent.
  void limit_by(const policy::LimitList* limits, const AttemptPlan& plan) noexcept {
    limits_ = limits;
    plan_ = &plan;
  }
  const policy::LimitList* limits() const noexcept { return limits_; }
  const AttemptPlan& plan() const noexcept { return *plan_; }
  void set_body(std::string_view body) noexcept { body_ = body; }

  /// Asks the hooks from where it stopped last. Later means: wait for on_resumed(), which may only
  /// come after park().
  Verdict admit();
  /// After Later, once the call is where on_resumed() finds it. False when there is nothing to wait
  /// for any more: admit() again.
  bool park() noexcept;
  /// For a wait of the call's own, after admission: then take_held_resume(), then park(). What was
  /// taken for an earlier wait ends nothing any more.
  void expect() noexcept;

  /// Tells the hooks how the call ended; from the second time on it does nothing.
  void settle(const Outcome& outcome) noexcept;

  /// From settle(): the result is told only after a resume.
  void hold_delivery() noexcept { is_delivery_held_ = true; }
  bool is_delivery_held() const noexcept { return is_delivery_held_; }

  bool has_events() const noexcept { return chain_ != nullptr && chain_->has_events(); }
  std::size_t event_hooks() const noexcept { return chain_->event_hooks(); }
  EventVerdict on_event(std::size_t at, Event& event, Out& out) {
    return chain_->on_event(at, *this, states_, event, out);
  }

  Result<void> replace_body(std::string body) override;
  Resume take_resume() override;
  HeldResume take_held_resume() { return {take_resume(), owner_.hold()}; }

 private:
  /// Of a wait, in the lowest bits of `turn_`, whose rest counts waits up. `asking`: a hook runs.
  /// `parked`: it answered Later and nobody runs. `resumed`: the next park() finds that it is over.
  static constexpr std::uint64_t asking = 0;
  static constexpr std::uint64_t parked = 1;
  static constexpr std::uint64_t resumed = 2;
  static constexpr std::uint64_t one_wait = 4;

  /// The token of a Resume.
  void go_on(std::uint64_t wait) noexcept override;

  PoliciesOwner& owner_;
  std::shared_ptr<const Chain> chain_;
  const policy::LimitList* limits_ = nullptr;
  const AttemptPlan* plan_ = nullptr;
  std::byte* states_ = nullptr;
  std::size_t at_ = 0;
  std::atomic<std::uint64_t> turn_{0};
  bool is_admitting_ = false;
  bool has_resume_ = false;
  bool is_settled_ = false;
  bool is_delivery_held_ = false;
};

}  // namespace byway::router
