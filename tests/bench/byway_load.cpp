// The same requests through a Router: one endpoint with a sealed key, every check that a call has.
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <semaphore>
#include <thread>
#include <vector>

#include <byway/byway.hpp>

#include "bench/load.hpp"

namespace {

std::atomic<long> allocations{0};

}  // namespace

// Counts what this program and the library allocate by operator new; libcurl has its own memory.
void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* block = std::malloc(size != 0 ? size : 1)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}

namespace {

using byway::bench::Meter;
using byway::bench::Options;

/// Keeps calls in flight by continuations on the loop thread.
struct Calls {
  byway::Router& router;
  std::string body;
  long total;
  long started = 0;
  std::binary_semaphore done{0};
  long ended = 0;

  // Calls and continuations run on the loop thread alone once the first ones were made.
  void next() {
    if (started >= total) return;
    ++started;
    auto token = router.call({.body = body}).then([this](byway::Result<byway::Response> reply) {
      if (!reply) std::exit(3);
      if (++ended == total) return done.release();
      next();
    });
  }
  void run(int in_flight) {
    // The first calls are made from a completion, so that nothing here is shared between threads.
    ++started;
    auto token =
        router.call({.body = body}).then([this, in_flight](byway::Result<byway::Response> reply) {
          if (!reply) std::exit(3);
          ++ended;
          for (int i = 0; i < in_flight; ++i) next();
        });
    done.acquire();
  }
};

long read_stream(byway::Stream& stream) {
  long events = 0;
  while (stream.next() != nullptr) ++events;
  if (stream.error() != nullptr) std::exit(3);
  return events;
}

/// Streams read by two threads, `in_flight` open at any time.
long run_streams(byway::Router& router, const std::string& body, const Options& options) {
  constexpr int threads = 2;
  std::atomic<long> left{options.total};
  std::atomic<long> events{0};
  std::vector<std::thread> readers;
  const int per_thread = std::max(1, options.in_flight / threads);
  for (int t = 0; t < threads; ++t) {
    readers.emplace_back([&] {
      while (true) {
        std::vector<byway::Stream> streams;
        for (int i = 0; i < per_thread && left.fetch_sub(1) > 0; ++i)
          streams.push_back(router.stream({.body = body}));
        if (streams.empty()) return;
        for (byway::Stream& stream : streams) events += read_stream(stream);
      }
    });
  }
  for (auto& reader : readers) reader.join();
  return events;
}

void run_idle(byway::Router& router, const std::string& body, const Options& options) {
  std::vector<byway::Stream> streams;
  streams.reserve(static_cast<std::size_t>(options.in_flight));
  for (int i = 0; i < options.in_flight; ++i) streams.push_back(router.stream({.body = body}));
  for (byway::Stream& stream : streams) {
    if (stream.next() == nullptr) std::exit(3);
  }
  Meter meter;
  std::this_thread::sleep_for(std::chrono::seconds(5));
  std::printf(
      "{\"name\":\"byway\",\"mode\":\"idle\",\"in_flight\":%d,\"idle_cpu_percent\":%.3f,\"rss_kb\":"
      "%ld}\n",
      options.in_flight, meter.cpu_seconds() / meter.wall_seconds() * 100, Meter::rss_kb());
  std::fflush(stdout);
  ::_exit(0);
}

/// A registry file with the key sealed in a store would need two; a store alone is what most users
/// have.
byway::Router open_router(const Options& options, const std::string& folder) {
  const std::string store = folder + "/byway.db";
  if (!byway::create_store({.path = store})) std::exit(4);
  auto router = byway::Router::open({.store = store, .require_key = false});
  if (!router) std::exit(4);
  byway::EndpointSettings settings;
  settings.slug = "bench";
  settings.base_url = options.base_url();
  settings.allow = std::vector<std::string>{"m-1"};
  if (!router->admin_as_owner().add_endpoint(settings, "sk-bench-0123456789abcdef0123456789abcdef"))
    std::exit(4);
  return *std::move(router);
}

}  // namespace

int main(int argc, char** argv) {
  const Options options(argc, argv);
  std::string folder = (std::filesystem::temp_directory_path() / "byway-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return 4;
  byway::Router router = open_router(options, folder);
  std::filesystem::remove_all(folder);
  const std::string body = byway::bench::request_body("byo:bench/m-1", options.is_stream(), true);
  if (options.mode == "idle") run_idle(router, body, options);
  allocations = 0;
  Meter meter;
  double units = static_cast<double>(options.total);
  if (options.is_stream()) {
    units = static_cast<double>(run_streams(router, body, options));
  } else {
    Calls calls{router, body, options.total};
    calls.run(options.in_flight);
  }
  meter.print("byway", options, units);
  std::fprintf(stderr, "allocations per unit: %.2f\n",
               static_cast<double>(allocations.load()) / units);
}
