#include "router/chain.hpp"

#include <algorithm>
#include <exception>
#include <stdexcept>

namespace byway {

void* CallState::find_state(const void* tag) const {
  if (tag == tag_) return state_;
  throw std::logic_error("a policy asked for a State that is not its own");
}

namespace router {
namespace {

constexpr std::size_t alignment = 16;

/// What a hook threw must not leave it: it may hold anything, so only its kind is told.
template <class Fn>
auto guarded(Fn hook) -> decltype(hook()) {
  try {
    return hook();
  } catch (const ResultError& failure) {
    return failure.error();
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::internal_out_of_memory, "no memory was left for a policy");
  } catch (...) {
    return Error(ErrorCode::policy_failed, "a policy threw an exception");
  }
}

}  // namespace

Chain::Chain(std::vector<Policy> policies) {
  policies_.reserve(policies.size());
  for (Policy& policy : policies) {
    const Policy::Hooks& hooks = policy.hooks();
    void* object = policy.object();
    const std::size_t offset = state_bytes_;
    state_bytes_ += (hooks.state_bytes + alignment - 1) / alignment * alignment;
    if (hooks.admit) admits_.push_back({hooks.admit, object, hooks.state_tag, offset});
    if (hooks.on_event) events_.push_back({hooks.on_event, object, hooks.state_tag, offset});
    if (hooks.settle) settles_.push_back({hooks.settle, object, hooks.state_tag, offset});
    policies_.push_back({std::move(policy), offset});
  }
  std::reverse(events_.begin(), events_.end());
  std::reverse(settles_.begin(), settles_.end());
}

void Chain::make_states(std::byte* place) const noexcept {
  for (const Placed& placed : policies_) {
    if (placed.policy.hooks().make_state) placed.policy.hooks().make_state(place + placed.offset);
  }
}

void Chain::end_states(std::byte* place) const noexcept {
  for (const Placed& placed : policies_) {
    if (placed.policy.hooks().end_state) placed.policy.hooks().end_state(place + placed.offset);
  }
}

Verdict Chain::admit(std::size_t at, CallState& call, std::byte* states) const {
  const auto& hook = admits_[at];
  Policy::select(call, hook.tag, states + hook.offset);
  return guarded([&]() -> Verdict { return hook.function(hook.policy, call); });
}

EventVerdict Chain::on_event(std::size_t at, CallState& call, std::byte* states, Event& event,
                             Out& out) const {
  const auto& hook = events_[at];
  Policy::select(call, hook.tag, states + hook.offset);
  return guarded([&]() -> EventVerdict { return hook.function(hook.policy, call, event, out); });
}

void Chain::settle(CallState& call, std::byte* states, const Outcome& outcome) const noexcept {
  for (const auto& hook : settles_) {
    Policy::select(call, hook.tag, states + hook.offset);
    hook.function(hook.policy, call, outcome);
  }
}

}  // namespace router
}  // namespace byway
