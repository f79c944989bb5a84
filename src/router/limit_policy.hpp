// LimitPolicy: steps 9 and 10 of the order of enforcement, as the first policy of every chain.
#pragma once

#include <memory>

#include <byway/policy.hpp>

#include "router/ledger.hpp"
#include "router/limit_turn.hpp"

namespace byway::router {

/// Rates, in-flight share and caps of the customer key and its org: taken once a call, settled
/// however it ends.
class LimitPolicy {
 public:
  struct State {
    LimitTurn turn;
  };
  explicit LimitPolicy(Ledger& ledger) noexcept : ledger_(&ledger) {}

  Verdict admit(CallState& call);
  void settle(const CallState& call, const Outcome& outcome) noexcept;

 private:
  Ledger* ledger_;
};

}  // namespace byway::router
