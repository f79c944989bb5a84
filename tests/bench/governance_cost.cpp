// What governance costs a call, by thread: the same calls over the scripted transport, governed by
// nothing, by usage and relaxed audit, and by those and every limit. Each calling thread keeps many
// calls in flight, so that waking threads costs next to nothing, and a batch counts as done when
// its records are durable.
//   governance_cost FOLDER [CALLS [THREADS [ROUNDS [MODE]]]]: one JSON line for each mode (or for
//   mode 1, 2 or 3 alone), medians; the modes take turns.
#include <dirent.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <latch>
#include <map>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <byway/byway.hpp>
#include <byway/testing/fake_transport.hpp>

namespace {

using namespace byway;

constexpr std::string_view body =
    R"({"messages":[{"role":"user","content":"Hello"}],"max_tokens":16})";
constexpr const char* reply =
    R"({"choices":[{"index":0,"message":{"content":"Hi"},"finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":7,"completion_tokens":2}})";

/// Nanoseconds on a processor, by thread name.
std::map<std::string, double> processor_time() {
  std::map<std::string, double> spent;
  DIR* tasks = ::opendir("/proc/self/task");
  while (const dirent* task = ::readdir(tasks)) {
    const std::string folder = std::string("/proc/self/task/") + task->d_name;
    std::string name;
    double nanoseconds = 0;
    std::ifstream(folder + "/comm") >> name;
    std::ifstream(folder + "/schedstat") >> nanoseconds;
    if (!name.empty()) spent[name] += nanoseconds;
  }
  ::closedir(tasks);
  return spent;
}

template <class T>
T must(Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.error().message().c_str());
  std::exit(1);
}

/// Keeps many calls in flight. Returns the nanoseconds that this thread was on a processor.
double call_many(Router& router, const Request& request, int count) {
  constexpr int in_flight_max = 100;
  timespec begun{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begun);
  for (int done = 0; done < count; done += in_flight_max) {
    const int now = std::min(in_flight_max, count - done);
    std::latch answers(now);
    for (int i = 0; i < now; ++i) {
      router.call(request).then([&](Result<Response> response) {
        must(std::move(response));
        answers.count_down();
      });
    }
    answers.wait();
  }
  timespec ended{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ended);
  return static_cast<double>(ended.tv_sec - begun.tv_sec) * 1e9 +
         static_cast<double>(ended.tv_nsec - begun.tv_nsec);
}

/// Enough for every page of a new audit journal to have been written once.
constexpr int warm_up = 17'000;

/// Microseconds a call.
struct Cost {
  double callers;
  double loop;
  double store;
};

class Measurement {
 public:
  Measurement(RouterOptions options, std::string key, int threads)
      : router_(open(std::move(options))),
        key_(std::move(key)),
        spent_(static_cast<std::size_t>(threads)) {
    call(warm_up);
  }

  Cost of(int calls) {
    for (double& time : spent_) time = 0;
    const auto before = processor_time();
    call(calls);
    auto after = processor_time();
    const auto of = [&](const char* name) {
      const auto was = before.find(name);
      return (after[name] - (was == before.end() ? 0 : was->second)) / calls / 1000;
    };
    return {std::accumulate(spent_.begin(), spent_.end(), 0.0) / calls / 1000, of("byway-loop"),
            of("byway-ledger") + of("byway-auditor") + of("byway-store")};
  }

 private:
  Router open(RouterOptions options) {
    options.transport = transport_;
    return must(Router::open(std::move(options)));
  }

  /// In pieces for which the audit journal has room, whatever the disk does.
  void call(int calls) {
    constexpr int piece_max = 8000;
    for (int done = 0; done < calls; done += piece_max) {
      call_at_once(std::min(piece_max, calls - done));
      while (router_.health().audit.queued > 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    }
  }

  void call_at_once(int calls) {
    const Request request{.body = body, .model = "byo:one/m", .key = key_};
    const int each = calls / static_cast<int>(spent_.size());
    for (int i = 0; i < calls; ++i) transport_->reply(200, reply);
    std::vector<std::thread> callers;
    for (double& time : spent_) {
      callers.emplace_back([&] { time += call_many(router_, request, each); });
    }
    for (std::thread& caller : callers) caller.join();
  }

  std::shared_ptr<testing::FakeTransport> transport_ = std::make_shared<testing::FakeTransport>();
  Router router_;
  std::string key_;
  std::vector<double> spent_;
};

double median(std::vector<Cost>& costs, double Cost::*part) {
  std::sort(costs.begin(), costs.end(),
            [&](const Cost& a, const Cost& b) { return a.*part < b.*part; });
  return costs[costs.size() / 2].*part;
}

/// Returns a customer key of the new store.
std::string make_store(const std::string& path, bool is_limited) {
  must(create_store({.path = path}));
  Router router = must(
      Router::open({.store = path, .transport = std::make_shared<testing::FakeTransport>()}));
  Admin owner = router.admin_as_owner();
  must(owner.add_endpoint({.slug = "one", .base_url = "http://127.0.0.1:9/v1"}));
  CustomerKeySettings settings;
  settings.allow = std::vector<std::string>{"byo:one/*"};
  if (is_limited) {
    settings.rpm = settings.rpm_burst = 1'000'000'000;
    settings.tpm = 4'000'000'000;
    settings.in_flight = 100'000;
    settings.cap_day = settings.cap_month = 1'000'000'000;
    const FieldChange caps[] = {{"cap_day", "100000000"}, {"cap_month", "1000000000"}};
    must(owner.set_org_limits(caps));
  }
  return std::string(must(owner.mint_customer_key(settings)).key.expose_secret());
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: governance_cost FOLDER [CALLS [THREADS [ROUNDS [MODE]]]]\n");
    return 2;
  }
  const std::string folder = arguments[1];
  const int calls = count > 2 ? std::atoi(arguments[2]) : 20'000;
  const int threads = count > 3 ? std::atoi(arguments[3]) : 1;
  const int rounds = count > 4 ? std::atoi(arguments[4]) : 5;
  const char only = count > 5 ? *arguments[5] : '\0';
  const std::string file = folder + "/byway.toml";
  std::ofstream(file) << "[[endpoint]]\nslug = \"one\"\nbase_url = \"http://127.0.0.1:9/v1\"\n";
  const std::string plain = folder + "/plain.db";
  const std::string limited = folder + "/limited.db";
  const std::string plain_key = make_store(plain, false);
  const std::string limited_key = make_store(limited, true);
  const std::map<std::string, std::function<Measurement()>> modes = {
      {"1 nothing",
       [&] { return Measurement({.registry = file, .require_key = false}, "", threads); }},
      {"2 key, usage and audit",
       [&] { return Measurement({.store = plain}, plain_key, threads); }},
      {"3 every limit too",
       [&] { return Measurement({.store = limited}, limited_key, threads); }}};
  std::map<std::string, std::vector<Cost>> costs;
  for (int round = 0; round < rounds; ++round) {
    for (const auto& [name, begin] : modes) {
      if (only == '\0' || name[0] == only) costs[name].push_back(begin().of(calls));
    }
  }
  for (auto& [name, of] : costs) {
    std::printf(
        "{\"mode\":\"%s\",\"threads\":%d,\"calls\":%d,\"callers_us\":%.2f,\"loop_us\":%.2f,"
        "\"store_threads_us\":%.2f}\n",
        name.c_str(), threads, calls, median(of, &Cost::callers), median(of, &Cost::loop),
        median(of, &Cost::store));
  }
  return 0;
}
