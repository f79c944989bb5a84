// Policy: a rule around every call, written as a struct with hooks.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <byway/customer_key.hpp>
#include <byway/error.hpp>
#include <byway/request.hpp>
#include <byway/response.hpp>
#include <byway/result.hpp>

namespace byway {

/// What is known of a call. Views live as long as the call; what admission has not found out yet is
/// empty.
struct CallFacts {
  std::string_view request_id = {};
  Operation operation = Operation::chat;
  bool is_streamed = false;
  Purpose purpose = Purpose::inference;
  std::string_view org = {};
  /// The customer key's bare id; empty for the owner.
  std::string_view key_id = {};
  KeyMode mode = KeyMode::live;
  /// The alias that was named; empty without.
  std::string_view alias = {};
  /// "byo:<slug>/<model>", of an alias the candidate that is called.
  std::string_view model = {};
  /// "byo:<slug>".
  std::string_view provider = {};
  std::string_view endpoint_id = {};
  std::string_view upstream_model = {};
};

/// Lets a call that answered Later go on. Taken from CallState, good for one resume(); dropped
/// without it, the call waits until its deadline or its end. It does not keep the call: wherever it
/// is kept, the call ends and what it held is freed; only the block of memory that the call stood
/// in stays until the Resume is resumed or dropped. *Safe from any thread.*
class Resume {
 public:
  struct Token {
    virtual void go_on(std::uint64_t wait) noexcept = 0;

   protected:
    ~Token() = default;
  };
  Resume() noexcept = default;
  Resume(std::weak_ptr<Token> token, std::uint64_t wait) noexcept
      : token_(std::move(token)), wait_(wait) {}

  /// The admission hook that took it is entered again, on a loop thread. Never blocks. From the
  /// second time on it does nothing, and neither does it once the hook has answered anything but
  /// Later or the call has ended.
  void resume() noexcept {
    if (const auto token = std::exchange(token_, {}).lock()) token->go_on(wait_);
  }

 private:
  std::weak_ptr<Token> token_;
  /// Which wait it ends.
  std::uint64_t wait_ = 0;
};

/// The call as its policies see it. Lives as long as the call and belongs to one hook at a time.
class CallState {
 public:
  CallState(const CallState&) = delete;
  CallState& operator=(const CallState&) = delete;

  const CallFacts& facts() const noexcept { return facts_; }
  /// The admitted body, before what the endpoint adds. Good until replace_body().
  std::string_view body() const noexcept { return body_; }
  /// Puts another body in its place; for admit hooks. `model` and `stream` in it are not looked at.
  /// Codes: those of a request's JSON; the body before stays then. Elsewhere: request_invalid.
  virtual Result<void> replace_body(std::string body) = 0;
  /// For an admit hook that answers Later.
  virtual Resume take_resume() = 0;

  /// The hook's own `struct State` in this call, made with the call and gone with it. Throws
  /// std::logic_error for any other policy's: policy_failed, but the program's end in settle.
  template <class P>
  typename P::State& state() {
    return *static_cast<typename P::State*>(find_state(&state_tag<P>));
  }
  template <class P>
  const typename P::State& state() const {
    return *static_cast<const typename P::State*>(find_state(&state_tag<P>));
  }

 protected:
  CallState() = default;
  ~CallState() = default;

  CallFacts facts_;
  std::string_view body_;

 private:
  friend class Policy;
  template <class P>
  static constexpr char state_tag = 0;
  void* find_state(const void* tag) const;

  // Of the hook that runs.
  const void* tag_ = nullptr;
  void* state_ = nullptr;
};

/// What an admit hook answers, besides a Response (which is the call's result; nothing is sent) and
/// an Error (which refuses it).
struct Proceed {};
/// Enter this hook again once Resume::resume() was called; CallState::take_resume() must have been
/// called.
struct Later {};
using Verdict = std::variant<Proceed, Later, Response, Error>;

/// `head`: an upstream began to answer; again after a retry, and whatever came before is void then.
/// `delta`: one event of a stream. `whole`: a reply that is no stream. `end`: nothing follows,
/// however the call ended; once for every call that an upstream was asked for.
enum class EventKind : std::uint8_t { head, delta, whole, end };

/// A piece of the reply on its way to the caller.
class Event {
 public:
  Event(EventKind kind, std::string_view bytes) noexcept : kind_(kind), bytes_(bytes) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  EventKind kind() const noexcept { return kind_; }
  /// JSON text: of a delta the event's data, of a whole reply the body; else empty. Good during the
  /// hook.
  std::string_view bytes() const noexcept { return bytes_; }
  /// Other bytes in their place, for a delta or a whole reply.
  void replace(std::string bytes) {
    own_ = std::move(bytes);
    bytes_ = own_;
    is_replaced_ = true;
  }
  bool is_replaced() const noexcept { return is_replaced_; }

 private:
  EventKind kind_;
  std::string_view bytes_;
  std::string own_;
  bool is_replaced_ = false;
};

/// Where an event hook puts events of its own.
class Out {
 public:
  /// The data of one more event of a stream, ahead of the event at hand; it goes through the hooks
  /// that come after this one. No effect where the server answers with a whole reply.
  void insert(std::string bytes) { inserted_.push_back(std::move(bytes)); }
  std::vector<std::string> take() noexcept { return std::exchange(inserted_, {}); }

 private:
  std::vector<std::string> inserted_;
};

struct Forward {};
/// The event goes no further: for a delta. A dropped whole reply is an empty one.
struct Drop {};
/// What an event hook answers; an Error ends the call with it.
using EventVerdict = std::variant<Forward, Drop, Error>;

/// How a call ended. Views live during the hook.
struct Outcome {
  /// Null for success.
  const Error* error = nullptr;
  /// Whether bytes may have reached an upstream, in any attempt.
  Sent sent = Sent::no;
  int attempts = 0;
  /// Nobody knows what an attempt before the last one used.
  bool has_unknown_attempt = false;
  /// The upstream's last HTTP status, 0 for none.
  int status = 0;
  /// As the upstream told it; absent fields are absent.
  Usage usage = {};
  bool has_usage = false;
  std::string_view model_served = {};
  std::chrono::nanoseconds latency = {};
  std::chrono::nanoseconds overhead = {};
  /// From call() to the first content event; zero for none.
  std::chrono::nanoseconds first_token = {};
  /// Spent waiting for admission.
  std::chrono::nanoseconds queued = {};
};

namespace detail {

struct AdmitName {
  int admit;
};
struct EventName {
  int on_event;
};
struct SettleName {
  int settle;
};
/// A name that P has too is ambiguous here, whatever it is: private, overloaded or a template.
template <class P, class Name>
struct Both : P, Name {};
template <class P>
concept NamesAdmit = !requires {
  &Both<P, AdmitName>::admit;
};
template <class P>
concept NamesEvent = !requires {
  &Both<P, EventName>::on_event;
};
template <class P>
concept NamesSettle = !requires {
  &Both<P, SettleName>::settle;
};

template <class P>
concept Admits = requires(P& policy, CallState& call) {
  { policy.admit(call) } -> std::convertible_to<Verdict>;
};
template <class P>
concept HearsEvents = requires(P& policy, CallState& call, Event& event, Out& out) {
  { policy.on_event(call, event, out) } -> std::convertible_to<EventVerdict>;
};
template <class P>
concept Settles = requires(P& policy, const CallState& call, const Outcome& outcome) {
  { policy.settle(call, outcome) }
  noexcept->std::same_as<void>;
};
template <class P>
concept HasState = requires {
  typename P::State;
};

}  // namespace detail

/// One policy of RouterOptions::policies: any class with at least one of
///
///   Verdict admit(CallState&)                        once a call, before anything is sent; again
///                                                    after each Later
///   EventVerdict on_event(CallState&, Event&, Out&)  for each event, the policy that stands last
///                                                    first
///   void settle(const CallState&, const Outcome&) noexcept    once, however the call ended,
///   refusals
///                                                    included; the last policy first
///
/// and perhaps a nested `struct State` for what it must remember of one call: nothing is allocated
/// for it. Policies are asked after the limits and caps and before the call is written to the audit
/// log. One object serves all calls, from many threads: admit and the settle of a refusal run on
/// the caller's thread or a loop thread, the rest on a loop thread, where nothing may block. A hook
/// that throws ends its call with policy_failed. A hook of the right name and another signature
/// does not compile.
class Policy {
 public:
  template <class P>
  requires(!std::is_same_v<std::remove_cvref_t<P>, Policy>)
      Policy(P&& policy)  // NOLINT(google-explicit-constructor): a list of policies reads as one
      : Policy(std::make_shared<std::remove_cvref_t<P>>(std::forward<P>(policy))) {}

  /// One that the application goes on using.
  template <class P>
  Policy(std::shared_ptr<P> policy)  // NOLINT(google-explicit-constructor)
      : object_(std::move(policy)), hooks_(&hooks_of<P>) {}

  /// Null where a policy has no such hook.
  struct Hooks {
    Verdict (*admit)(void* policy, CallState& call) = nullptr;
    EventVerdict (*on_event)(void* policy, CallState& call, Event& event, Out& out) = nullptr;
    void (*settle)(void* policy, const CallState& call, const Outcome& outcome) noexcept = nullptr;
    std::size_t state_bytes = 0;
    void (*make_state)(void* place) noexcept = nullptr;
    void (*end_state)(void* state) noexcept = nullptr;
    const void* state_tag = nullptr;
  };
  const Hooks& hooks() const noexcept { return *hooks_; }
  void* object() const noexcept { return object_.get(); }

  /// Lets the hook that comes next find its State.
  static void select(CallState& call, const void* tag, void* state) noexcept {
    call.tag_ = tag;
    call.state_ = state;
  }

 private:
  template <class P>
  static constexpr Hooks make_hooks() {
    static_assert(!std::is_final_v<P>, "a policy's class must not be final");
    static_assert(detail::NamesAdmit<P> || detail::NamesEvent<P> || detail::NamesSettle<P>,
                  "a policy needs at least one of admit, on_event and settle");
    static_assert(!detail::NamesAdmit<P> || detail::Admits<P>,
                  "a policy's admit must be: Verdict admit(CallState&)");
    static_assert(!detail::NamesEvent<P> || detail::HearsEvents<P>,
                  "a policy's on_event must be: EventVerdict on_event(CallState&, Event&, Out&)");
    static_assert(!detail::NamesSettle<P> || detail::Settles<P>,
                  "a policy's settle must be: void settle(const CallState&, const Outcome&) "
                  "noexcept");
    Hooks hooks;
    if constexpr (detail::NamesAdmit<P> && detail::Admits<P>) {
      hooks.admit = [](void* policy, CallState& call) -> Verdict {
        return static_cast<P*>(policy)->admit(call);
      };
    }
    if constexpr (detail::NamesEvent<P> && detail::HearsEvents<P>) {
      hooks.on_event = [](void* policy, CallState& call, Event& event, Out& out) -> EventVerdict {
        return static_cast<P*>(policy)->on_event(call, event, out);
      };
    }
    if constexpr (detail::NamesSettle<P> && detail::Settles<P>) {
      hooks.settle = [](void* policy, const CallState& call, const Outcome& outcome) noexcept {
        static_cast<P*>(policy)->settle(call, outcome);
      };
    }
    if constexpr (detail::HasState<P>) {
      using State = typename P::State;
      static_assert(std::is_nothrow_default_constructible_v<State> && alignof(State) <= 16,
                    "a policy's State must be made without throwing and need at most 16 bytes of "
                    "alignment");
      hooks.state_bytes = sizeof(State);
      hooks.make_state = [](void* place) noexcept { new (place) State(); };
      hooks.end_state = [](void* state) noexcept { static_cast<State*>(state)->~State(); };
      hooks.state_tag = &CallState::state_tag<P>;
    }
    return hooks;
  }
  template <class P>
  static constexpr Hooks hooks_of = make_hooks<P>();

  std::shared_ptr<void> object_;
  const Hooks* hooks_;
};

}  // namespace byway
