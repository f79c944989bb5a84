// HookedEvents: a reply on its way through the event hooks, nearest the wire first.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <byway/policy.hpp>
#include <byway/stream_event.hpp>

#include "router/attempt.hpp"
#include "router/call_policies.hpp"
#include "wire/stream_fold.hpp"

namespace byway::router {

/// Where events that came through go.
class HookedEventsOwner {
 public:
  virtual void on_hooked_event(const StreamEvent& event) = 0;

 protected:
  ~HookedEventsOwner() = default;
};

/// Usage, finish and errors are read before the hooks, by the attempt; text is folded after them,
/// here. Made only for a router whose policies hear events. *Loop thread only.*
class HookedEvents {
 public:
  HookedEvents(CallPolicies& policies, const AttemptPlan& plan, HookedEventsOwner& owner)
      : policies_(policies), plan_(plan), owner_(owner) {}

  /// What came before is void.
  void begin_attempt();
  /// False when a hook ended the call: error() says how.
  bool feed(const wire::SseEvent& event);
  bool feed_whole(std::string& body);
  /// Lets the hooks flush; once, and only when an attempt was made.
  void end();

  const std::optional<Error>& error() const noexcept { return error_; }
  /// Puts the text that came through in the place of the upstream's.
  void finish_reply(Reply& reply);

 private:
  bool tell_head();
  bool pass(std::size_t at, Event& event);
  void deliver(const Event& event);

  CallPolicies& policies_;
  const AttemptPlan& plan_;
  HookedEventsOwner& owner_;
  std::string_view type_;
  std::optional<wire::StreamFold> fold_;
  std::string* whole_ = nullptr;
  bool has_begun_ = false;
  bool has_head_ = false;
  bool has_ended_ = false;
  std::optional<Error> error_;
};

}  // namespace byway::router
