// Chain: all policies of a router, as one list for each hook.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <byway/policy.hpp>

namespace byway::router {

/// Made once, when a router opens; immutable then. *Safe from any thread.*
class Chain {
 public:
  Chain() = default;
  explicit Chain(std::vector<Policy> policies);
  Chain(Chain&&) = default;
  Chain& operator=(Chain&&) = default;

  /// What the states of one call need, aligned to 16.
  std::size_t state_bytes() const noexcept { return state_bytes_; }
  void make_states(std::byte* place) const noexcept;
  void end_states(std::byte* place) const noexcept;

  bool has_events() const noexcept { return !events_.empty(); }

  std::size_t admit_hooks() const noexcept { return admits_.size(); }
  /// A hook that throws is policy_failed; so in on_event().
  Verdict admit(std::size_t at, CallState& call, std::byte* states) const;
  /// How many hooks hear of events.
  std::size_t event_hooks() const noexcept { return events_.size(); }
  /// The one nearest the wire is 0.
  EventVerdict on_event(std::size_t at, CallState& call, std::byte* states, Event& event,
                        Out& out) const;
  void settle(CallState& call, std::byte* states, const Outcome& outcome) const noexcept;

 private:
  template <class Function>
  struct Hook {
    Function function;
    void* policy;
    const void* tag;
    std::size_t offset;
  };
  struct Placed {
    Policy policy;
    std::size_t offset;
  };

  std::vector<Placed> policies_;
  std::vector<Hook<decltype(Policy::Hooks::admit)>> admits_;
  std::vector<Hook<decltype(Policy::Hooks::on_event)>> events_;
  std::vector<Hook<decltype(Policy::Hooks::settle)>> settles_;
  std::size_t state_bytes_ = 0;
};

}  // namespace byway::router
