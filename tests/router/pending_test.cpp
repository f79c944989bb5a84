// What a Pending does in right and in wrong hands.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <coroutine>
#include <future>
#include <optional>
#include <thread>

#include "router/rig.hpp"

using namespace byway;
using namespace byway::testing;
using std::chrono::milliseconds;

namespace {

/// A coroutine that runs at once and is forgotten.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

Detached await_into(Router router, std::promise<Result<Response>>& done) {
  auto reply = co_await router.call({.body = chat_body});
  done.set_value(std::move(reply));
}

void wait_until(const std::function<bool()>& condition) {
  for (int i = 0; i < 2'000'000 && !condition(); ++i) std::this_thread::yield();
  REQUIRE(condition());
}

Script hold_after_head() {
  return {SendHead{200, {{"content-type", "application/json"}}}, SendBody{" "}, Hold{}};
}

}  // namespace

TEST_CASE("a result is taken once; a second get says so") {
  RouterRig rig;
  rig.transport->reply(200, reply_text("x"));
  auto pending = rig.router.call({.body = chat_body});
  REQUIRE(std::move(pending).get());
  auto again = std::move(pending).get();  // NOLINT: on purpose
  REQUIRE_FALSE(again);
  CHECK(again.error().code() == ErrorCode::request_already_taken);
}

TEST_CASE("then runs once on the loop thread, never inside then or call") {
  RouterRig rig;
  const auto caller = std::this_thread::get_id();
  rig.transport->reply(200, reply_text("x"));
  std::promise<std::thread::id> ran;
  std::atomic<bool> is_inside{true};
  std::atomic<bool> was_inside{false};
  auto pending = rig.router.call({.body = chat_body});
  wait_until([&] { return pending.is_ready(); });
  auto token = std::move(pending).then([&](Result<Response> reply) {
    was_inside = is_inside && std::this_thread::get_id() == caller;
    CHECK(reply);
    ran.set_value(std::this_thread::get_id());
  });
  is_inside = false;
  CHECK(ran.get_future().get() != caller);
  CHECK_FALSE(was_inside);
  token.cancel();
}

TEST_CASE("a refusal comes through then as well") {
  RouterRig rig;
  std::promise<ErrorCode> code;
  auto token = rig.router.call({.body = "{}"}).then([&](Result<Response> reply) {
    code.set_value(reply.error().code());
  });
  CHECK(code.get_future().get() == ErrorCode::request_invalid_model);
}

TEST_CASE("a coroutine gets its result") {
  RouterRig rig;
  rig.transport->reply(200, reply_text("awaited"));
  std::promise<Result<Response>> done;
  auto future = done.get_future();
  await_into(rig.router, done);
  auto reply = future.get();
  REQUIRE(reply);
  CHECK(reply->text() == "awaited");
}

TEST_CASE("get on a loop thread is refused and the call stays usable") {
  RouterRig rig;
  rig.transport->reply(200, reply_text("outer")).script(hold_after_head());
  std::promise<ErrorCode> code;
  std::promise<Pending<Response>> kept;
  auto token = rig.router.call({.body = chat_body}).then([&](Result<Response>) {
    auto inner = rig.router.call({.body = chat_body});
    auto refused = std::move(inner).get();
    code.set_value(refused.error().code());
    kept.set_value(std::move(inner));
  });
  CHECK(code.get_future().get() == ErrorCode::internal_would_block_loop);
  auto inner = kept.get_future().get();
  CHECK_FALSE(inner.is_ready());
  inner.cancel();
  auto reply = std::move(inner).get();
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code() == ErrorCode::request_cancelled);
}

TEST_CASE("cancel gives request_cancelled once and closes the connection") {
  RouterRig rig;
  rig.transport->script(hold_after_head());
  auto pending = rig.router.call({.body = chat_body});
  wait_until([&] { return rig.transport->requests().size() == 1; });
  pending.cancel();
  pending.cancel();
  auto reply = std::move(pending).get();
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code() == ErrorCode::request_cancelled);
  wait_until([&] { return rig.transport->cancelled() == 1; });
}

TEST_CASE("a cancel that comes too late changes nothing") {
  RouterRig rig;
  rig.transport->reply(200, reply_text("x"));
  auto pending = rig.router.call({.body = chat_body});
  wait_until([&] { return pending.is_ready(); });
  pending.cancel();
  CHECK(std::move(pending).get());
}

TEST_CASE("dropping a call in flight cancels it and delivers nothing") {
  RouterRig rig;
  rig.transport->script(hold_after_head());
  {
    auto pending = rig.router.call({.body = chat_body});
    wait_until([&] { return rig.transport->requests().size() == 1; });
  }
  wait_until([&] { return rig.transport->cancelled() == 1; });
  wait_until([&] { return rig.router.health().calls_in_flight == 0; });
}

TEST_CASE("a closed router refuses, and ends what was in flight") {
  RouterRig rig;
  rig.transport->script(hold_after_head());
  auto pending = rig.router.call({.body = chat_body});
  wait_until([&] { return rig.transport->requests().size() == 1; });
  rig.router.close(milliseconds(0));
  auto ended = std::move(pending).get();
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code() == ErrorCode::internal_closed);
  auto refused = rig.router.call({.body = chat_body}).get();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::internal_closed);
}

TEST_CASE("a call outlives the last router with an answer") {
  auto rig = std::make_unique<RouterRig>();
  rig->transport->script(hold_after_head());
  auto pending = rig->router.call({.body = chat_body});
  wait_until([&] { return rig->transport->requests().size() == 1; });
  rig.reset();
  auto reply = std::move(pending).get();
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code() == ErrorCode::internal_closed);
}

TEST_CASE("the last router may be dropped inside a completion") {
  std::promise<void> done;
  {
    auto rig = std::make_unique<RouterRig>();
    rig->transport->reply(200, reply_text("x"));
    auto held = std::make_shared<std::unique_ptr<Router>>(std::make_unique<Router>(rig->router));
    auto token = rig->router.call({.body = chat_body}).then([held, &done](Result<Response>) {
      held->reset();
      done.set_value();
    });
    done.get_future().wait();
  }
  SUCCEED();
}

TEST_CASE("closing waits for a call that was just made") {
  for (int round = 0; round < 20; ++round) {
    RouterRig fresh;
    fresh.transport->reply(200, reply_text("x"));
    auto pending = fresh.router.call({.body = chat_body});
    fresh.router.close(std::chrono::seconds(20));
    CHECK(std::move(pending).get());
  }
}

TEST_CASE("a call whose transfer cannot even start ends, also when its router goes at once") {
  const TemporaryFolder folder;
  for (const bool drops_at_once : {false, true}) {
    auto opened = Router::open({.registry = folder.write("byway.toml",
                                                         "[[endpoint]]\nslug = \"tls\"\n"
                                                         "base_url = \"https://127.0.0.1:9/v1\"\n"
                                                         "ca_file = \"/nonexistent/ca.pem\"\n"),
                                .require_key = false});
    if (!opened) FAIL(opened.error().message());
    std::optional<Router> router(*std::move(opened));
    auto pending = router->call({.body = R"({"model":"byo:tls/m"})"});
    if (drops_at_once) router.reset();
    auto reply = std::move(pending).get();
    REQUIRE_FALSE(reply);
    if (!drops_at_once) CHECK(reply.error().cause() == "net_tls_failed");
  }
}

TEST_CASE("calls that are made while a router closes are answered") {
  for (int round = 0; round < 30; ++round) {
    RouterRig rig;
    for (int i = 0; i < 40; ++i) rig.transport->reply(200, reply_text("x"));
    std::vector<std::thread> callers;
    for (int t = 0; t < 2; ++t) {
      callers.emplace_back([&] {
        for (int i = 0; i < 20; ++i) {
          static_cast<void>(rig.router.call({.body = chat_body}).get());
        }
      });
    }
    rig.router.close(milliseconds(0));
    for (auto& caller : callers) caller.join();
  }
}

TEST_CASE("a forked child may close, and then() runs there") {
  RouterRig rig;
  auto before = rig.router.call({.body = R"({"model":"byo:one/m"})"});
  const pid_t child = fork();
  if (child == 0) {
    int ran = 0;
    auto token = rig.router.call({.body = chat_body}).then([&](Result<Response>) { ++ran; });
    rig.router.close(milliseconds(1));
    _exit(ran == 1 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a cancelled call never claims that it was not sent when it may have been") {
  RouterRig rig;
  rig.transport->script({Hold{}});
  auto pending = rig.router.call({.body = chat_body});
  wait_until([&] { return rig.transport->requests().size() == 1; });
  pending.cancel();
  auto reply = std::move(pending).get();
  REQUIRE_FALSE(reply);
  CHECK(reply.error().sent() == Sent::maybe);
  CHECK(reply.error().attempts() == 1);
}

TEST_CASE("a forked child is told, and its parent goes on") {
  RouterRig rig;
  rig.transport->reply(200, reply_text("parent"));
  const pid_t child = fork();
  if (child == 0) {
    auto reply = rig.router.call({.body = chat_body}).get();
    _exit(!reply && reply.error().code() == ErrorCode::internal_used_after_fork ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(rig.router.call({.body = chat_body}).get());
}

TEST_CASE("cancel races with completion: exactly one of the two happens") {
  RouterRig rig;
  for (int round = 0; round < 500; ++round) {
    rig.transport->reply(200, reply_text("x"));
    auto pending = rig.router.call({.body = chat_body});
    std::thread canceller([&] { pending.cancel(); });
    canceller.join();
    auto reply = std::move(pending).get();
    if (!reply) REQUIRE(reply.error().code() == ErrorCode::request_cancelled);
  }
  wait_until([&] { return rig.router.health().calls_in_flight == 0; });
}
