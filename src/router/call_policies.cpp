#include "router/call_policies.hpp"

#include <utility>

namespace byway::router {

void CallPolicies::begin(std::shared_ptr<const Chain> chain, std::byte* states) noexcept {
  chain_ = std::move(chain);
  states_ = states;
  chain_->make_states(states);
}

CallPolicies::~CallPolicies() {
  if (chain_ != nullptr) chain_->end_states(states_);
}

Verdict CallPolicies::admit() {
  for (; at_ < chain_->admit_hooks(); ++at_) {
    expect();
    has_resume_ = false;
    is_admitting_ = true;
    Verdict verdict = chain_->admit(at_, *this, states_);
    is_admitting_ = false;
    if (std::holds_alternative<Later>(verdict) && !has_resume_) {
      return Error(ErrorCode::policy_failed,
                   "a policy answered Later without taking a Resume: nothing would wake the call");
    }
    if (!std::holds_alternative<Proceed>(verdict)) return verdict;
  }
  return Proceed();
}

void CallPolicies::expect() noexcept {
  turn_.store(turn_.load() / one_wait * one_wait + one_wait + asking);
}

bool CallPolicies::park() noexcept {
  std::uint64_t turn = turn_.load() / one_wait * one_wait + asking;
  return turn_.compare_exchange_strong(turn, turn + parked);
}

void CallPolicies::go_on(std::uint64_t wait) noexcept {
  std::uint64_t turn = turn_.load();
  while (turn / one_wait == wait && turn % one_wait != resumed) {
    if (!turn_.compare_exchange_weak(turn, wait * one_wait + resumed)) continue;
    if (turn % one_wait == parked) owner_.on_resumed();
    return;
  }
}

void CallPolicies::settle(const Outcome& outcome) noexcept {
  if (chain_ == nullptr || std::exchange(is_settled_, true)) return;
  chain_->settle(*this, states_, outcome);
}

Result<void> CallPolicies::replace_body(std::string body) {
  if (!is_admitting_) {
    return Error(ErrorCode::request_invalid, "only an admit hook may put another body in place");
  }
  auto placed = owner_.on_new_body(std::move(body));
  if (!placed) return placed.error();
  body_ = *placed;
  return {};
}

Resume CallPolicies::take_resume() {
  has_resume_ = true;
  return Resume(std::shared_ptr<Resume::Token>(owner_.hold(), static_cast<Resume::Token*>(this)),
                turn_.load() / one_wait);
}

}  // namespace byway::router
