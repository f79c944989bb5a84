// Many calls and streams at once over real sockets, every ending among them; then nothing is left
// over.
#include <dirent.h>

#include <atomic>
#include <fstream>
#include <semaphore>
#include <thread>
#include <vector>

#include "router/rig.hpp"
#include "stress/quick_server.hpp"

using namespace byway;
using namespace byway::testing;

namespace {

int entries_of(const char* folder) {
  int count = 0;
  DIR* directory = ::opendir(folder);
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

int descriptors() {
  return entries_of("/proc/self/fd");
}
int threads() {
  return entries_of("/proc/self/task");
}

constexpr std::string_view body =
    R"({"model":"byo:quick/m","messages":[{"role":"user","content":"x"}]})";

Router open_router(const TemporaryFolder& folder, const stress::QuickServer& server) {
  setenv("BYWAY_TEST_CANARY", std::string(canary_key).c_str(), 1);
  auto opened = Router::open(
      {.registry = folder.write("byway.toml", "[[endpoint]]\nslug = \"quick\"\nbase_url = \"" +
                                                  server.base_url() +
                                                  "\"\nkey = \"env:BYWAY_TEST_CANARY\"\n"),
       .require_key = false});
  if (!opened) FAIL(opened.error().message());
  return *std::move(opened);
}

void wait_for_threads(int count) {
  for (int i = 0; i < 10'000 && threads() > count; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

/// The server, in this process too, closes its ends as it learns of them.
void wait_for_descriptors(int count) {
  for (int i = 0; i < 5000 && descriptors() > count; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

/// Keeps `in_flight` calls going by continuations until `total` have ended.
struct Flood {
  Router& router;
  int total;
  std::atomic<int> started{0};
  std::atomic<int> succeeded{0};
  std::atomic<int> failed{0};
  std::counting_semaphore<> done{0};

  void next() {
    if (started.fetch_add(1) >= total) return;
    auto token = router.call({.body = body}).then([this](Result<Response> reply) {
      reply ? ++succeeded : ++failed;
      next();
      done.release();
    });
  }
  void run(int in_flight) {
    for (int i = 0; i < in_flight; ++i) next();
    for (int i = 0; i < total; ++i) done.acquire();
  }
};

}  // namespace

TEST_CASE("100,000 calls: each ends once, and descriptors and threads return to where they were") {
  stress::QuickServer server;
  TemporaryFolder folder;
  const int threads_before = threads();
  int descriptors_before = 0;
  {
    Router router = open_router(folder, server);
    REQUIRE(router.call({.body = body}).get());
    descriptors_before = descriptors();
    Flood flood{router, 100'000};
    flood.run(64);
    CHECK(flood.succeeded + flood.failed == 100'000);
    CHECK(flood.failed > 5'000);
    CHECK(flood.failed < 15'000);
    while (router.health().calls_in_flight > 0) std::this_thread::yield();
    // At most the connections of the pool are new.
    CHECK(descriptors() <= descriptors_before + 2 * 64);
  }
  wait_for_threads(threads_before);
  CHECK(threads() == threads_before);
  wait_for_descriptors(descriptors_before);
  CHECK(descriptors() <= descriptors_before);
}

TEST_CASE("1,000 streams at once, read by eight threads, some cut, some cancelled, some dropped") {
  stress::QuickServer server;
  TemporaryFolder folder;
  const int threads_before = threads();
  const int descriptors_before = descriptors();
  {
    Router router = open_router(folder, server);
    std::atomic<int> whole{0};
    std::atomic<int> cut{0};
    std::atomic<int> cancelled{0};
    std::atomic<int> wrong{0};
    std::vector<std::thread> readers;
    for (int t = 0; t < 8; ++t) {
      readers.emplace_back([&] {
        std::vector<Stream> streams;
        for (int i = 0; i < 125; ++i) streams.push_back(router.stream({.body = body}));
        for (std::size_t i = 0; i < streams.size(); ++i) {
          if (i % 10 == 3) {
            streams[i].cancel();
          } else if (i % 10 == 7) {
            static_cast<void>(streams[i].next());
            continue;
          }
          std::string text;
          while (const StreamEvent* event = streams[i].next()) text += event->text;
          if (streams[i].error() == nullptr) {
            ++whole;
            if (text.size() != 40) ++wrong;
          } else if (streams[i].error()->code() == ErrorCode::request_cancelled) {
            ++cancelled;
          } else {
            ++cut;
          }
        }
      });
    }
    for (auto& reader : readers) reader.join();
    CHECK(whole + cut + cancelled == 904);
    CHECK(wrong == 0);
    CHECK(whole > 500);
    CHECK(cut > 50);
    while (router.health().calls_in_flight > 0) std::this_thread::yield();
  }
  wait_for_threads(threads_before);
  CHECK(threads() == threads_before);
  wait_for_descriptors(descriptors_before);
  CHECK(descriptors() <= descriptors_before);
}

TEST_CASE("threads that call, cancel, drop and close at the same time end cleanly") {
  stress::QuickServer server;
  TemporaryFolder folder;
  for (int round = 0; round < 20; ++round) {
    Router router = open_router(folder, server);
    std::vector<std::thread> callers;
    for (int t = 0; t < 4; ++t) {
      callers.emplace_back([router, t]() mutable {
        for (int i = 0; i < 50; ++i) {
          auto pending = router.call({.body = body});
          if ((i + t) % 3 == 0) pending.cancel();
          if ((i + t) % 5 == 0) continue;
          auto reply = std::move(pending).get();
          if (!reply && reply.error().code() == ErrorCode::internal_closed) return;
        }
      });
    }
    if (round % 2 == 0) router.close(std::chrono::milliseconds(1));
    for (auto& caller : callers) caller.join();
  }
  SUCCEED();
}
