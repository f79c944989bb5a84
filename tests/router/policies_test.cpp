#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <byway/policy.hpp>

#include "router/rig.hpp"

using namespace byway;
using namespace byway::testing;
using std::chrono::milliseconds;

namespace {

constexpr std::string_view stream_body = R"({"model":"byo:one/m-1","messages":[]})";

/// What hooks wrote down, from whichever thread.
class Diary {
 public:
  void write(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

struct Named {
  std::string name;
  std::shared_ptr<Diary> diary;
  Verdict admit(CallState&) {
    diary->write(name + " admit");
    return Proceed();
  }
  EventVerdict on_event(CallState&, Event& event, Out&) {
    const char* kinds[] = {" head", " delta", " whole", " end"};
    diary->write(name + kinds[static_cast<int>(event.kind())]);
    return Forward();
  }
  void settle(const CallState&, const Outcome&) noexcept { diary->write(name + " settle"); }
};

struct Endings {
  std::shared_ptr<Diary> diary = std::make_shared<Diary>();
  void settle(const CallState& call, const Outcome& outcome) noexcept {
    std::string line(name_of(call.facts().operation));
    line += outcome.error ? " " + std::string(outcome.error->name()) : " ok";
    diary->write(line + " " + std::string(name_of(outcome.sent)));
  }
};

struct Rig : RouterRig {
  explicit Rig(std::vector<Policy> policies) { router = open_with(std::move(policies)); }
  Router open_with(std::vector<Policy> policies) {
    transport = std::make_shared<FakeTransport>();
    auto opened = Router::open({.registry = folder.file("byway.toml"),
                                .require_key = false,
                                .policies = std::move(policies),
                                .transport = transport,
                                .clock = clock});
    if (!opened) FAIL(opened.error().message());
    return *std::move(opened);
  }
  Result<Response> call() { return router.call({.body = chat_body}).get(); }
};

std::string read_all(Stream& stream) {
  std::string text;
  while (const StreamEvent* event = stream.next()) text += event->text;
  return text;
}

std::string delta(std::string_view text) {
  return R"({"id":"c","choices":[{"index":0,"delta":{"content":")" + std::string(text) +
         R"("},"finish_reason":null}]})";
}

template <class Condition>
void wait_until(Condition condition) {
  for (int i = 0; i < 20'000'000 && !condition(); ++i) std::this_thread::yield();
  REQUIRE(condition());
}

}  // namespace

TEST_CASE("policies are asked in order, hear events from the wire up and settle in reverse") {
  auto diary = std::make_shared<Diary>();
  Rig rig({Named{"a", diary}, Named{"b", diary}});
  rig.transport->reply(200, reply_text("Hello"));
  REQUIRE(rig.call());
  CHECK(diary->lines() == std::vector<std::string>{"a admit", "b admit", "b head", "a head",
                                                   "b whole", "a whole", "b end", "a end",
                                                   "b settle", "a settle"});
}

TEST_CASE("a refusal of a policy is the call's, sends nothing and is settled") {
  struct Refuses {
    Verdict admit(CallState& call) {
      CHECK(call.facts().model == "byo:one/m-1");
      CHECK(call.facts().provider == "byo:one");
      CHECK(call.facts().org == "local");
      CHECK(call.body() == chat_body);
      return Error(ErrorCode::policy_forbidden, "not on Sundays");
    }
  };
  Endings endings;
  Rig rig({endings, Refuses(), Named{"later", endings.diary}});
  auto reply = rig.call();
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code() == ErrorCode::policy_forbidden);
  CHECK(reply.error().endpoint() == "byo:one");
  CHECK(reply.error().request_id().starts_with("bw-req-"));
  CHECK(rig.transport->requests().empty());
  CHECK(endings.diary->lines() ==
        std::vector<std::string>{"later settle", "chat policy_forbidden no"});
}

TEST_CASE("an answer of a policy is the call's result, streamed or not") {
  struct Answers {
    Verdict admit(CallState&) { return Response::of(reply_text("Hello")); }
  };
  Endings endings;
  Rig rig({endings, Answers()});
  auto reply = rig.call();
  REQUIRE(reply);
  CHECK(reply->text() == "Hello");
  CHECK(reply->metadata().provider == "byo:one");
  auto stream = rig.router.stream({.body = stream_body});
  CHECK(read_all(stream) == "Hello");
  REQUIRE(stream.result());
  CHECK(rig.transport->requests().empty());
  CHECK(endings.diary->lines() == std::vector<std::string>{"chat ok no", "chat ok no"});
}

namespace {

/// Waits once, then lets through.
struct Waits {
  std::mutex mutex;
  std::vector<Resume> waiting;
  std::atomic<int> asked{0};
  struct State {
    bool has_waited = false;
  };
  Verdict admit(CallState& call) {
    asked.fetch_add(1);
    if (std::exchange(call.state<Waits>().has_waited, true)) return Proceed();
    const std::lock_guard lock(mutex);
    waiting.push_back(call.take_resume());
    return Later();
  }
  void resume_all() {
    const std::lock_guard lock(mutex);
    for (Resume& resume : waiting) resume.resume();
    waiting.clear();
  }
  void forget_all() {
    const std::lock_guard lock(mutex);
    waiting.clear();
  }
};

}  // namespace

TEST_CASE("a call that a policy keeps waiting goes on when it is resumed, at the same hook") {
  auto waits = std::make_shared<Waits>();
  auto diary = std::make_shared<Diary>();
  Rig rig({Named{"before", diary}, waits, Named{"after", diary}});
  rig.transport->reply(200, reply_text("Hello"));
  auto pending = rig.router.call({.body = chat_body});
  CHECK_FALSE(pending.is_ready());
  CHECK(rig.transport->requests().empty());
  std::thread other([&] { waits->resume_all(); });
  auto reply = std::move(pending).get();
  other.join();
  REQUIRE(reply);
  CHECK(waits->asked.load() == 2);
  CHECK(diary->lines()[0] == "before admit");
  CHECK(diary->lines()[1] == "after admit");
}

TEST_CASE("a resume that comes before the hook has returned is not lost") {
  struct AtOnce {
    struct State {
      int asked = 0;
    };
    Verdict admit(CallState& call) {
      if (++call.state<AtOnce>().asked == 3) return Proceed();
      call.take_resume().resume();
      return Later();
    }
  };
  Rig rig({AtOnce()});
  rig.transport->reply(200, reply_text("Hello"));
  CHECK(rig.call());
}

TEST_CASE("a resume that is left over wakes nothing that waits later") {
  struct Spare {
    std::shared_ptr<std::vector<Resume>> spare = std::make_shared<std::vector<Resume>>();
    Verdict admit(CallState& call) {
      spare->push_back(call.take_resume());
      return Proceed();
    }
  };
  const Spare spare;
  auto waits = std::make_shared<Waits>();
  Rig rig({spare, waits});
  rig.transport->reply(200, reply_text("Hello"));
  auto pending = rig.router.call({.body = chat_body});
  for (Resume& resume : *spare.spare) resume.resume();
  CHECK(waits->asked.load() == 1);
  waits->resume_all();
  CHECK(std::move(pending).get());
  CHECK(waits->asked.load() == 2);
}

TEST_CASE("a policy that keeps the Resume of a call does not keep the call") {
  struct Hoards {
    std::shared_ptr<int> alive = std::make_shared<int>();
    struct State {
      Resume kept;
      std::shared_ptr<int> alive;
    };
    Verdict admit(CallState& call) {
      auto& mine = call.state<Hoards>();
      mine.alive = alive;
      mine.kept = call.take_resume();
      return Proceed();
    }
  };
  auto hoards = std::make_shared<Hoards>();
  auto spare = std::make_shared<std::vector<Resume>>();
  struct Lends {
    std::shared_ptr<std::vector<Resume>> to;
    Verdict admit(CallState& call) {
      to->push_back(call.take_resume());
      return Proceed();
    }
  };
  {
    Rig rig({hoards, Lends{spare}});
    rig.transport->reply(200, reply_text("Hello"));
    CHECK(rig.call());
    auto cancelled = rig.router.call({.body = chat_body});
    cancelled.cancel();
    CHECK_FALSE(std::move(cancelled).get());
  }
  CHECK(hoards->alive.use_count() == 1);
  REQUIRE(spare->size() == 2);
  for (Resume& resume : *spare) resume.resume();  // of calls that are gone: nothing happens
}

TEST_CASE("a waiting call ends by cancelling, by its deadline or with its router") {
  auto waits = std::make_shared<Waits>();
  Endings endings;
  Rig rig({waits, endings});
  auto cancelled = rig.router.call({.body = chat_body});
  cancelled.cancel();
  auto result = std::move(cancelled).get();
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::request_cancelled);
  CHECK(result.error().sent() == Sent::no);

  auto late = rig.router.call({.body = chat_body, .timeouts = {.total = milliseconds(50)}});
  wait_until([&] {
    rig.clock->advance(milliseconds(10));
    return late.is_ready();
  });
  result = std::move(late).get();
  REQUIRE_FALSE(result);
  CHECK(result.error().upstream_class() == UpstreamClass::timeout);
  CHECK(result.error().cause() == "timeout_total");
  CHECK(result.error().attempts() == 0);

  auto closed = rig.router.call({.body = chat_body});
  rig.router.close(milliseconds(0));
  result = std::move(closed).get();
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::internal_closed);
  waits->resume_all();  // of calls that have ended: nothing happens
  CHECK(endings.diary->lines() == std::vector<std::string>{"chat request_cancelled no",
                                                           "chat upstream_error no",
                                                           "chat internal_closed no"});
}

TEST_CASE("a policy that answers Later without a Resume fails its call") {
  struct Forgets {
    Verdict admit(CallState&) { return Later(); }
  };
  Rig rig({Forgets()});
  auto reply = rig.call();
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code() == ErrorCode::policy_failed);
}

TEST_CASE("a hook that throws ends its call with policy_failed and nothing else") {
  struct Throws {
    bool on_events = false;
    Verdict admit(CallState& call) {
      if (!on_events && call.facts().purpose == Purpose::judge) throw std::runtime_error("secret");
      return Proceed();
    }
    EventVerdict on_event(CallState& call, Event& event, Out&) {
      const bool is_hit = on_events && call.facts().purpose == Purpose::judge;
      if (is_hit && event.kind() == EventKind::delta) throw 7;
      return Forward();
    }
  };
  for (const bool on_events : {false, true}) {
    Endings endings;
    Rig rig({endings, Throws{on_events}});
    if (on_events) rig.transport->reply_events(hello_events());
    auto stream = rig.router.stream({.body = stream_body, .purpose = Purpose::judge});
    CHECK(read_all(stream).empty());
    REQUIRE(stream.error() != nullptr);
    CHECK(stream.error()->code() == ErrorCode::policy_failed);
    CHECK(stream.error()->message().find("secret") == std::string::npos);
    rig.transport->reply_events(hello_events());
    auto other = rig.router.stream({.body = stream_body});
    CHECK(read_all(other) == "Hello");
    CHECK(endings.diary->lines()[0] ==
          (on_events ? "chat policy_failed yes" : "chat policy_failed no"));
  }
}

TEST_CASE("a policy cannot reach into another's state") {
  struct Curious {
    Verdict admit(CallState& call) {
      call.state<Waits>().has_waited = true;
      return Proceed();
    }
  };
  auto waits = std::make_shared<Waits>();
  Rig rig({waits, Curious()});
  auto pending = rig.router.call({.body = chat_body});
  CHECK_FALSE(pending.is_ready());
  waits->forget_all();
  Rig alone({Curious()});
  auto reply = alone.call();
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code() == ErrorCode::policy_failed);
}

TEST_CASE("event hooks replace, drop and insert, and the folded text is what came through") {
  struct Edits {
    EventVerdict on_event(CallState&, Event& event, Out& out) {
      const std::string bytes(event.bytes());
      if (event.kind() == EventKind::end) out.insert(delta("!"));
      if (event.kind() != EventKind::delta) return Forward();
      if (bytes.find("\"Hel\"") != std::string::npos) {
        out.insert(delta("<"));
        event.replace(delta("Yel"));
      }
      if (bytes.find("\"lo\"") != std::string::npos) return Drop();
      return Forward();
    }
  };
  Endings endings;
  Rig rig({endings, Edits()});
  rig.transport->reply_events(hello_events());
  auto stream = rig.router.stream({.body = stream_body});
  CHECK(read_all(stream) == "<Yel!");
  auto reply = stream.result();
  REQUIRE(reply);
  CHECK(reply->text() == "<Yel!");
  CHECK(reply->finish_reason() == "stop");

  // A cut stream flushes too, and keeps what came through.
  auto events = hello_events();
  events.resize(2);
  Script script = stream_script(events, false);
  script.emplace_back(Fail{TransferFault::cut});
  rig.transport->script(script);
  auto cut = rig.router.stream({.body = stream_body});
  CHECK(read_all(cut) == "<Yel!");
  REQUIRE(cut.error() != nullptr);
  CHECK(cut.reply().choices[0].text == "<Yel!");
}

TEST_CASE("an event that one hook inserted goes through those after it only") {
  struct Inserts {
    EventVerdict on_event(CallState&, Event& event, Out& out) {
      if (event.kind() == EventKind::end) out.insert(delta("x"));
      return Forward();
    }
  };
  struct Doubles {
    EventVerdict on_event(CallState&, Event& event, Out&) {
      if (event.bytes() == delta("x")) event.replace(delta("xx"));
      return Forward();
    }
  };
  for (const bool is_after : {true, false}) {
    std::vector<Policy> policies = {Doubles(), Inserts()};
    if (!is_after) std::swap(policies[0], policies[1]);
    Rig rig(policies);
    rig.transport->reply_events(hello_events());
    auto stream = rig.router.stream({.body = stream_body});
    CHECK(read_all(stream) == (is_after ? "Helloxx" : "Hellox"));
  }
}

TEST_CASE("a whole reply can be replaced, and a hook's error ends the call") {
  struct Whole {
    EventVerdict on_event(CallState& call, Event& event, Out&) {
      if (event.kind() != EventKind::whole) return Forward();
      if (call.facts().purpose == Purpose::judge) {
        return Error(ErrorCode::policy_forbidden, "not for judges");
      }
      event.replace(R"({"choices":[{"index":0,"message":{"content":"Bye"}}]})");
      return Forward();
    }
  };
  Rig rig({Whole()});
  rig.transport->reply(200, reply_text("Hello"));
  auto reply = rig.call();
  REQUIRE(reply);
  CHECK(reply->text() == "Bye");
  rig.transport->reply(200, reply_text("Hello"));
  reply = rig.router.call({.body = chat_body, .purpose = Purpose::judge}).get();
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code() == ErrorCode::policy_forbidden);
  CHECK(reply.error().sent() == Sent::yes);
}

TEST_CASE("another body of an admit hook is what is sent, a broken one changes nothing") {
  struct Redacts {
    Verdict admit(CallState& call) {
      CHECK_FALSE(call.replace_body("{"));
      CHECK(call.body() == chat_body);
      std::string body(call.body());
      body.replace(body.find("Hello"), 5, "[EMAIL_REDACTED]");
      CHECK(call.replace_body(body));
      CHECK(call.body() == body);
      return Proceed();
    }
  };
  Rig rig({Redacts()});
  rig.transport->reply(200, reply_text("Hello"));
  REQUIRE(rig.call());
  CHECK(rig.transport->requests()[0].body ==
        R"({"model":"m-1","messages":[{"role":"user","content":"[EMAIL_REDACTED]"}])"
        R"(,"stream":false})");
}

TEST_CASE("every operation runs the policies, and every ending settles once") {
  Endings endings;
  Rig rig({endings});
  const auto ask = [&](Operation operation, std::string_view body, std::string_view model = {}) {
    static_cast<void>(
        rig.router.call({.operation = operation, .body = body, .model = model}).get());
  };
  rig.transport->reply(200, reply_text("Hello"));
  ask(Operation::chat, chat_body);
  rig.transport->reply(200, R"({"choices":[{"index":0,"text":"x"}]})");
  ask(Operation::completions, R"({"model":"byo:one/m","prompt":"x"})");
  rig.transport->reply(200, R"({"data":[{"index":0,"embedding":[1]}]})");
  ask(Operation::embeddings, R"({"model":"byo:one/m","input":"x"})");
  rig.transport->reply(500, "{}");
  ask(Operation::responses, R"({"model":"byo:one/m","input":"x"})");
  rig.transport->script({Fail{TransferFault::connect_failed}});
  ask(Operation::rerank, R"({"model":"byo:one/m","query":"x","documents":["a"]})");
  rig.transport->reply(200, R"({"object":"list","data":[]})");
  ask(Operation::models, "", "byo:one");
  ask(Operation::chat, "{");
  ask(Operation::chat, R"({"model":"byo:off/m","messages":[]})");
  const auto lines = endings.diary->lines();
  REQUIRE(lines.size() == 8);
  CHECK(lines[0] == "chat ok yes");
  CHECK(lines[1] == "completions ok yes");
  CHECK(lines[2] == "embeddings ok yes");
  CHECK(lines[3] == "responses upstream_error yes");
  CHECK(lines[4].ends_with(" no"));
  CHECK(lines[5] == "models ok yes");
  CHECK(lines[6] == "chat request_invalid_json no");
  CHECK(lines[7] == "chat byo_endpoint_disabled no");
}

TEST_CASE("a dropped call is settled all the same") {
  Endings endings;
  Rig rig({endings});
  rig.transport->script({SendHead{}, Hold{}});
  {
    auto dropped = rig.router.call({.body = chat_body});
    wait_until([&] { return rig.transport->requests().size() == 1; });
  }
  wait_until([&] { return endings.diary->lines().size() == 1; });
  CHECK(endings.diary->lines()[0].starts_with("chat request_cancelled"));
}
