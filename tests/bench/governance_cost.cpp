// What governance costs a call, by thread: the same calls over the scripted transport, governed by
// nothing, by usage and relaxed audit, and by those and every limit.
//   governance_cost FOLDER [CALLS [THREADS]]: one JSON line each.
#include <dirent.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
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

void run(const char* mode, RouterOptions options, const std::string& key, int calls, int threads) {
  auto transport = std::make_shared<testing::FakeTransport>();
  options.transport = transport;
  Router router = must(Router::open(std::move(options)));
  const Request request{.body = body, .model = "byo:one/m", .key = key};
  const auto batch = [&](int count) {
    for (int i = 0; i < count; ++i) transport->reply(200, reply);
    std::vector<std::thread> callers;
    for (int at = 0; at < threads; ++at) {
      callers.emplace_back([&] {
        for (int i = 0; i < count / threads; ++i) must(router.call(request).get());
      });
    }
    for (std::thread& caller : callers) caller.join();
  };
  batch(calls / 10);
  const auto before = processor_time();
  // Threads that have ended are in the process's sum alone.
  timespec begun{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begun);
  batch(calls);
  timespec ended{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
  auto after = processor_time();
  const auto spent = [&](const char* name) {
    const auto was = before.find(name);
    return (after[name] - (was == before.end() ? 0 : was->second)) / calls / 1000;
  };
  const double all = (static_cast<double>(ended.tv_sec - begun.tv_sec) * 1e9 +
                      static_cast<double>(ended.tv_nsec - begun.tv_nsec)) /
                     calls / 1000;
  const double durable = spent("byway-ledger") + spent("byway-auditor") + spent("byway-store");
  std::printf(
      "{\"mode\":\"%s\",\"threads\":%d,\"calls\":%d,\"callers_and_loop_us\":%.3f,"
      "\"store_threads_us\":%.3f}\n",
      mode, threads, calls, all - durable, durable);
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: governance_cost FOLDER [CALLS [THREADS]]\n");
    return 2;
  }
  const std::string folder = arguments[1];
  const int calls = count > 2 ? std::atoi(arguments[2]) : 20'000;
  const int threads = count > 3 ? std::atoi(arguments[3]) : 1;
  const std::string file = folder + "/byway.toml";
  std::ofstream(file) << "[[endpoint]]\nslug = \"one\"\nbase_url = \"http://127.0.0.1:9/v1\"\n";
  const std::string store = folder + "/byway.db";
  must(create_store({.path = store}));
  std::string key;
  {
    Router router = must(
        Router::open({.store = store, .transport = std::make_shared<testing::FakeTransport>()}));
    Admin owner = router.admin_as_owner();
    EndpointSettings settings{.slug = "one", .base_url = "http://127.0.0.1:9/v1"};
    must(owner.add_endpoint(settings));
    const FieldChange caps[] = {{"cap_day", "100000000"}, {"cap_month", "1000000000"}};
    CustomerKeySettings limits;
    limits.rpm = limits.rpm_burst = 1'000'000'000;
    limits.tpm = 4'000'000'000;
    limits.in_flight = 100'000;
    limits.cap_day = limits.cap_month = 1'000'000'000;
    limits.allow = std::vector<std::string>{"byo:one/*"};
    key = std::string(must(owner.mint_customer_key(limits)).key.expose_secret());
    run("nothing", {.registry = file, .require_key = false}, "", calls, threads);
    run("audit and usage", {.store = store, .require_key = false}, "", calls, threads);
    must(owner.set_org_limits(caps));
  }
  run("everything", {.store = store}, key, calls, threads);
  return 0;
}
