// The same requests through a Router: a store with one endpoint, a sealed key, an allowlist, and
// every limit in time that a call has by default. BYWAY_BENCH_GOVERNANCE=none takes a registry file
// instead, without usage rows and audit log; =full a customer key with every limit there is.
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <byway/byway.hpp>

#include "bench/meter.hpp"
#ifdef BYWAY_BENCH_COUNTS_ALLOCATIONS
#include <curl/curl.h>
#endif

namespace byway::bench {
namespace {

enum class Governance { none, usual, full };

Governance wanted_governance() {
  const char* wanted = std::getenv("BYWAY_BENCH_GOVERNANCE");
  if (wanted == nullptr) return Governance::usual;
  return std::string_view(wanted) == "none" ? Governance::none : Governance::full;
}

/// A router, and the customer key of its calls; empty for none.
struct Opened {
  Router router;
  std::string key = {};
};

Opened open_registry(const Options& options, const std::string& folder) {
  const std::string file = folder + "/byway.toml";
  ::setenv("BYWAY_BENCH_KEY", upstream_key, 1);
  std::ofstream(file) << "[[endpoint]]\nslug = \"bench\"\nallow = [\"m-1\"]\n"
                      << "key = \"env:BYWAY_BENCH_KEY\"\nbase_url = \"" << options.base_url()
                      << "\"\n";
  auto router = Router::open({.registry = file, .require_key = false});
  if (!router) fail("Router::open");
  return {*std::move(router)};
}

std::string mint_limited_key(Admin owner) {
  const FieldChange caps[] = {{"cap_day", "100000000"}, {"cap_month", "1000000000"}};
  if (!owner.set_org_limits(caps)) fail("set_org_limits");
  CustomerKeySettings wanted;
  wanted.allow = std::vector<std::string>{"byo:bench/*"};
  wanted.rpm = wanted.rpm_burst = 1'000'000'000;
  wanted.tpm = 4'000'000'000;
  wanted.in_flight = 100'000;
  wanted.cap_day = wanted.cap_month = 1'000'000'000;
  auto minted = owner.mint_customer_key(wanted);
  if (!minted) fail("mint_customer_key");
  return std::string(minted->key.expose_secret());
}

/// The folder is gone as soon as the store is open.
Opened open_router(const Options& options, Governance governance) {
  std::string folder = (std::filesystem::temp_directory_path() / "byway-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) fail("mkdtemp");
  if (governance == Governance::none) {
    Opened opened = open_registry(options, folder);
    std::filesystem::remove_all(folder);
    return opened;
  }
  const std::string store = folder + "/byway.db";
  if (auto created = create_store({.path = store}); !created) fail("create_store");
  auto router = Router::open({.store = store, .require_key = false});
  if (!router) fail("Router::open");
  EndpointSettings settings;
  settings.slug = "bench";
  settings.base_url = options.base_url();
  settings.allow = std::vector<std::string>{"m-1"};
  if (!router->admin_as_owner().add_endpoint(settings, upstream_key)) fail("add_endpoint");
  std::string key;
  if (governance == Governance::full) key = mint_limited_key(router->admin_as_owner());
  std::filesystem::remove_all(folder);
  return {*std::move(router), std::move(key)};
}

/// Keeps calls in flight: each answer makes the next call, on the loop thread.
class Calls {
 public:
  Calls(Router& router, std::string body, std::string key)
      : router_(router), body_(std::move(body)), key_(std::move(key)) {}

  /// Returns when `total` calls have ended.
  void run(int in_flight, long total) {
    left_ = total;
    running_ = 0;
    // The first ones are made by the answer of one more, so that only the loop thread counts.
    auto cancel = call().then([this, in_flight](Result<Response> reply) {
      if (!reply) fail("a call");
      for (int i = 0; i < in_flight; ++i) next();
    });
    done_.acquire();
  }

 private:
  Pending<Response> call() { return router_.call({.body = body_, .key = key_}); }

  void next() {
    if (left_ == 0) return;
    --left_;
    ++running_;
    auto cancel = call().then([this](Result<Response> reply) {
      if (!reply || reply->body().empty()) fail("a call");
      --running_;
      next();
      if (running_ == 0) done_.release();
    });
  }

  Router& router_;
  const std::string body_;
  const std::string key_;
  long left_ = 0;
  long running_ = 0;
  std::binary_semaphore done_{0};
};

/// Keeps `count` streams open and reads one event of each in turn, until no more may be opened.
long read_streams(Router& router, const std::string& body, int count, std::atomic<long>& left) {
  std::vector<Stream> streams;
  const auto may_open = [&] { return left.fetch_sub(1, std::memory_order_relaxed) > 0; };
  for (int i = 0; i < count && may_open(); ++i) streams.push_back(router.stream({.body = body}));
  long events = 0;
  while (!streams.empty()) {
    for (std::size_t i = 0; i < streams.size();) {
      if (streams[i].next() != nullptr) {
        ++events;
        ++i;
        continue;
      }
      if (streams[i].error() != nullptr) fail("a stream");
      if (may_open()) {
        streams[i] = router.stream({.body = body});
      } else {
        std::swap(streams[i], streams.back());
        streams.pop_back();
      }
    }
  }
  return events;
}

long run_streams(Router& router, const std::string& body, int in_flight, long total) {
  const int readers = in_flight > 1 ? 2 : 1;
  std::atomic<long> left{total};
  std::atomic<long> events{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < readers; ++i) {
    threads.emplace_back([&] { events += read_streams(router, body, in_flight / readers, left); });
  }
  for (std::thread& thread : threads) thread.join();
  return events;
}

/// At most this many connections are being opened at once.
constexpr long opening_max = 256;

Standing hold_calls(Router& router, const std::string& body, const Options& options) {
  std::vector<Pending<Response>> calls;
  calls.reserve(static_cast<std::size_t>(options.in_flight));
  const long before = resident_kb();
  for (long made = 0; made < options.in_flight;) {
    for (long i = 0; i < opening_max && made < options.in_flight; ++i, ++made)
      calls.push_back(router.call({.body = body}));
    while (held_at(options.port) < made) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  Standing result;
  result.kb_each = static_cast<double>(resident_kb() - before) / options.in_flight;
  ask(options.port, "/wake");
  for (auto& call : calls) {
    if (!std::move(call).get()) fail("a held call");
  }
  return result;
}

Standing hold_streams(Router& router, const std::string& body, const Options& options) {
  std::vector<Stream> streams;
  streams.reserve(static_cast<std::size_t>(options.in_flight));
  const auto each = 1.0 / options.in_flight;
  Standing result;
  Meter meter;
  const long before = resident_kb();
  while (streams.size() < static_cast<std::size_t>(options.in_flight)) {
    const std::size_t first = streams.size();
    while (streams.size() < streams.capacity() && streams.size() < first + opening_max)
      streams.push_back(router.stream({.body = body}));
    for (std::size_t i = first; i < streams.size(); ++i) {
      if (streams[i].next() == nullptr) fail("an idle stream");
    }
  }
  result.open_us_each = meter.cpu_seconds() * 1e6 * each;
  result.kb_each = static_cast<double>(resident_kb() - before) * each;
  meter.start();
  std::this_thread::sleep_for(std::chrono::seconds(5));
  result.idle_cpu_percent = meter.cpu_seconds() / meter.seconds() * 100;
  meter.start();
  ask(options.port, "/wake");
  for (Stream& stream : streams) {
    if (stream.next() == nullptr) fail("an idle stream");
  }
  result.wake_us_each = meter.cpu_seconds() * 1e6 * each;
  return result;
}

void measure(Router& router, const std::string& body, const std::string& key,
             const Options& options) {
  Meter meter;
  if (options.is_stream()) {
    run_streams(router, body, options.in_flight, options.warm_up());
    meter.start();
    const long events = run_streams(router, body, options.in_flight, options.total);
    if (events != options.units()) fail("events are missing");
    return meter.print("byway", options, options.units());
  }
  Calls calls(router, body, key);
  calls.run(options.in_flight, options.warm_up());
  meter.start();
  calls.run(options.in_flight, options.total);
  meter.print("byway", options, options.total);
}

}  // namespace
}  // namespace byway::bench

int main(int argc, char** argv) {
  using namespace byway::bench;
  const Options options(argc, argv);
#ifdef BYWAY_BENCH_COUNTS_ALLOCATIONS
  // Before the router: libcurl then allocates by malloc, where it is counted, as in the bare loop.
  curl_global_init(CURL_GLOBAL_DEFAULT);
#endif
  auto [router, key] = open_router(options, wanted_governance());
  const std::string body = request_body("byo:bench/m-1", options.is_stream());
  switch (options.mode) {
    case Mode::idle: hold_streams(router, body, options).print("byway", options); break;
    case Mode::held: hold_calls(router, body, options).print("byway", options); break;
    default: measure(router, body, key, options);
  }
}
