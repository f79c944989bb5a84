#include "router/hooked_events.hpp"

#include <algorithm>
#include <utility>

namespace byway::router {

void HookedEvents::begin_attempt() {
  fold_.reset();
  has_begun_ = true;
  has_head_ = false;
}

bool HookedEvents::tell_head() {
  if (std::exchange(has_head_, true)) return true;
  Event head(EventKind::head, {});
  return pass(0, head);
}

bool HookedEvents::feed(const wire::SseEvent& event) {
  if (!fold_) fold_.emplace(plan_.operation, plan_.entry->dialect);
  if (!tell_head()) return false;
  type_ = event.type;
  Event delta(EventKind::delta, event.data);
  return pass(0, delta);
}

bool HookedEvents::feed_whole(std::string& body) {
  if (!tell_head()) return false;
  whole_ = &body;
  Event whole(EventKind::whole, body);
  const bool goes_on = pass(0, whole);
  // Dropped: `deliver` never saw it.
  if (whole_ != nullptr) body.clear();
  whole_ = nullptr;
  return goes_on;
}

void HookedEvents::end() {
  if (!has_begun_ || std::exchange(has_ended_, true)) return;
  type_ = {};
  Event end(EventKind::end, {});
  pass(0, end);
}

/// Through the hooks from `at` on. False when one of them ended the call.
bool HookedEvents::pass(std::size_t at, Event& event) {
  for (; at < policies_.event_hooks(); ++at) {
    Out out;
    EventVerdict verdict = policies_.on_event(at, event, out);
    if (Error* error = std::get_if<Error>(&verdict)) {
      error_ = std::move(*error);
      return false;
    }
    for (const std::string& bytes : out.take()) {
      Event inserted(EventKind::delta, bytes);
      if (!pass(at + 1, inserted)) return false;
    }
    if (std::holds_alternative<Drop>(verdict)) return true;
  }
  deliver(event);
  return true;
}

void HookedEvents::deliver(const Event& event) {
  if (event.kind() == EventKind::whole) {
    if (event.is_replaced()) whole_->assign(event.bytes());
    whole_ = nullptr;
  }
  if (event.kind() != EventKind::delta || !fold_) return;
  wire::SseEvent made;
  made.type = type_;
  made.data = event.bytes();
  for (const wire::FoldStep& step : fold_->feed(made)) {
    const bool is_shown = step.kind == wire::FoldKind::preamble ||
                          step.kind == wire::FoldKind::delta || step.kind == wire::FoldKind::other;
    if (is_shown) owner_.on_hooked_event(step.event);
  }
}

void HookedEvents::finish_reply(Reply& reply) {
  if (!fold_) return;
  Reply heard = fold_->take_reply();
  fold_.reset();
  reply.deltas = heard.deltas;
  for (Choice& choice : reply.choices) {
    const auto same = std::find_if(heard.choices.begin(), heard.choices.end(),
                                   [&](const Choice& at) { return at.index == choice.index; });
    Choice text = same == heard.choices.end() ? Choice() : std::move(*same);
    choice.text = std::move(text.text);
    choice.reasoning = std::move(text.reasoning);
    choice.tools = std::move(text.tools);
  }
}

}  // namespace byway::router
