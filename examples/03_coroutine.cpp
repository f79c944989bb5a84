// Two calls awaited in one coroutine. Byway brings the awaitable, the program its own task type.
//
//     03_coroutine byway.db byo:my-vllm/my-model
#include <fmt/core.h>
#include <byway/byway.hpp>
#include <coroutine>
#include <exception>
#include <future>
#include <string>

namespace {

/// The least that a coroutine needs to be waited for from outside: a promise and its future.
struct Task {
  struct promise_type {
    std::promise<int> result = {};
    Task get_return_object() { return {result.get_future()}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_value(int value) { result.set_value(value); }
    void unhandled_exception() { result.set_exception(std::current_exception()); }
  };
  std::future<int> result;
};

Task ask_twice(byway::Router& router, std::string model) {
  for (const char* word : {"one", "two"}) {
    const std::string body =
        R"({"messages":[{"role":"user","content":")" + std::string(word) + R"("}]})";
    // What follows co_await runs on Byway's loop thread, so it must not block.
    auto reply = co_await router.call({.body = body, .model = model});
    if (!reply) {
      fmt::print(stderr, "{}: {}\n", reply.error().name(), reply.error().message());
      co_return 1;
    }
    fmt::print("{}\n", reply->text());
  }
  co_return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    fmt::print(stderr, "usage: 03_coroutine STORE MODEL-ID\n");
    return 2;
  }
  auto router = byway::Router::open({.store = arguments[1], .require_key = false});
  if (!router) {
    fmt::print(stderr, "{}\n", router.error().message());
    return 1;
  }
  return ask_twice(*router, arguments[2]).result.get();
}
