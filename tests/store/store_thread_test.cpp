#include "catch.hpp"

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <future>
#include <thread>

#include "store/scratch.hpp"
#include "store/store_thread.hpp"

namespace byway::store {

TEST_CASE("a task runs on the store's own thread, and its result comes back") {
  const ScratchFolder folder;
  auto thread = must(StoreThread::start(make_store(folder / "byway.db")));
  const pthread_t caller = ::pthread_self();
  Result<std::string> name = thread->run([&](RegistryStore&) -> Result<std::string> {
    char text[16] = {};
    ::pthread_getname_np(::pthread_self(), text, sizeof(text));
    if (::pthread_equal(::pthread_self(), caller) != 0) return std::string("the caller's");
    return std::string(text);
  });
  CHECK(*name == "byway-store");
  Result<void> changed = thread->run([](RegistryStore& store) { return store.insert_org("x"); });
  CHECK(changed);
  Result<void> refused =
      thread->run([](RegistryStore& store) { return store.remove_endpoint("none", "now"); });
  CHECK(refused.error().code() == ErrorCode::byo_endpoint_not_found);
}

TEST_CASE("a task may run another, and what it throws reaches the caller") {
  const ScratchFolder folder;
  auto thread = must(StoreThread::start(make_store(folder / "byway.db")));
  Result<int> inner = thread->run(
      [&](RegistryStore&) { return thread->run([](RegistryStore&) -> Result<int> { return 7; }); });
  CHECK(*inner == 7);
  CHECK_THROWS_AS(
      thread->run([](RegistryStore&) -> Result<int> { throw std::runtime_error("no"); }),
      std::runtime_error);
  CHECK(thread->run([](RegistryStore&) -> Result<int> { return 1; }));
}

TEST_CASE("the store's thread takes no signals") {
  const ScratchFolder folder;
  auto thread = must(StoreThread::start(make_store(folder / "byway.db")));
  Result<int> open = thread->run([](RegistryStore&) -> Result<int> {
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    int count = 0;
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE, SIGUSR1, SIGPROF}) {
      count += ::sigismember(&mask, signal) == 0 ? 1 : 0;
    }
    return count;
  });
  CHECK(*open == 0);
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  CHECK(::sigismember(&mask, SIGTERM) == 0);
}

TEST_CASE("a change by another is seen by the periodic task") {
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  RegistryStore other = make_store(path);
  std::promise<void> seen;
  std::int64_t last = 0;
  bool has_told = false;
  StoreThreadOptions options;
  options.period = std::chrono::milliseconds(1);
  options.periodic = [&](RegistryStore& store) {
    const Result<Revisions> now = store.revisions();
    if (!now || now->registry == last) return;
    last = now->registry;
    if (!std::exchange(has_told, true)) seen.set_value();
  };
  auto thread = must(StoreThread::start(must(RegistryStore::open(path)), std::move(options)));
  must(other.insert_endpoint(endpoint_row("end-1", "one")));
  CHECK(seen.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready);
}

TEST_CASE("close runs what was posted, and what comes later is internal_closed") {
  const ScratchFolder folder;
  const std::string path = folder / "byway.db";
  auto thread = must(StoreThread::start(make_store(path)));
  std::atomic<int> done{0};
  for (int at = 0; at < 100; ++at) thread->post([&](RegistryStore&) { ++done; });
  thread->close();
  CHECK(done == 100);
  thread->close();
  thread->post([&](RegistryStore&) { ++done; });
  Result<int> late = thread->run([](RegistryStore&) -> Result<int> { return 1; });
  REQUIRE(!late);
  CHECK(late.error().code() == ErrorCode::internal_closed);
  CHECK(done == 100);
  CHECK(!std::filesystem::exists(path + "-wal"));
}

TEST_CASE("many threads share a store's thread") {
  const ScratchFolder folder;
  auto thread = must(StoreThread::start(make_store(folder / "byway.db")));
  std::vector<std::thread> callers;
  std::atomic<int> failures{0};
  for (int caller = 0; caller < 8; ++caller) {
    callers.emplace_back([&, caller] {
      for (int turn = 0; turn < 10; ++turn) {
        const std::string id = std::to_string(caller) + "-" + std::to_string(turn);
        Result<void> done = thread->run(
            [&](RegistryStore& store) { return store.insert_endpoint(endpoint_row(id, id)); });
        if (!done) ++failures;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(failures == 0);
  Result<RegistryRows> rows = thread->run([](RegistryStore& store) { return store.load(); });
  CHECK(rows->endpoints.size() == 80);
}

TEST_CASE("in a forked child the store's thread is internal_used_after_fork and ends quietly") {
  const ScratchFolder folder;
  auto thread = must(StoreThread::start(make_store(folder / "byway.db")));
  const int end = run_in_child([&] {
    Result<void> used = thread->run([](RegistryStore& store) { return store.insert_org("x"); });
    if (used || used.error().code() != ErrorCode::internal_used_after_fork) return 1;
    thread->post([](RegistryStore&) {});
    thread->close();
    thread.reset();
    return 0;
  });
  CHECK(end == 0);
  CHECK(thread->run([](RegistryStore& store) { return store.insert_org("x"); }));
}

}  // namespace byway::store
