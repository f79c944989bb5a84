// Snapshots: lookup, targets, and reading them from many threads.
#include "catch.hpp"

#include "registry/snapshot.hpp"

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace byway::registry {
namespace {

Endpoint endpoint(const std::string& slug, const std::string& org = "local") {
  Endpoint made;
  made.settings.slug = slug;
  made.settings.org = org;
  made.settings.base_url = "https://models.example/v1/";
  made.id = "id-" + org + "-" + slug;
  return made;
}

std::shared_ptr<const Entry> entry(Endpoint made) {
  auto result = Entry::make(std::move(made), {});
  if (!result) FAIL(result.error().message());
  return *result;
}

TEST_CASE("an endpoint is found by org and slug alone", "[registry]") {
  const Snapshot snapshot({entry(endpoint("two")), entry(endpoint("one")),
                           entry(endpoint("one", "acme")), entry(endpoint("six", "acme"))});
  REQUIRE(snapshot.find("local", "one"));
  CHECK(snapshot.find("local", "one")->endpoint.id == "id-local-one");
  CHECK(snapshot.find("acme", "one")->endpoint.id == "id-acme-one");
  CHECK_FALSE(snapshot.find("local", "six"));
  CHECK_FALSE(snapshot.find("", "one"));
  CHECK_FALSE(snapshot.find("localone", ""));
  const auto listed = snapshot.list("local");
  REQUIRE(listed.size() == 2);
  CHECK(listed[0]->endpoint.settings.slug == "one");
  CHECK(snapshot.entries().size() == 4);
}

TEST_CASE("only a whole star stands for all models", "[registry]") {
  Endpoint made = endpoint("one");
  CHECK(entry(made)->allows_model("anything/at:all"));
  made.settings.allow.emplace();
  CHECK_FALSE(entry(made)->allows_model("a"));
  made.settings.allow = {"gpt-4*", "gpt-4o"};
  CHECK(entry(made)->allows_model("gpt-4o"));
  CHECK(entry(made)->allows_model("gpt-4*"));
  CHECK_FALSE(entry(made)->allows_model("gpt-4o-evil"));
  CHECK_FALSE(entry(made)->allows_model("GPT-4o"));
  CHECK_FALSE(entry(made)->allows_model("*"));
  made.settings.allow = {"*"};
  CHECK(entry(made)->allows_model("a"));
}

TEST_CASE("a target is ready before the call", "[registry]") {
  Endpoint made = endpoint("one");
  made.settings.base_url = "https://models.example/v1/?a=b";
  made.settings.query = {{"c", "d"}};
  made.settings.headers = {{"X-Team", "a"}};
  const auto one = entry(made);
  const auto target = one->target(Operation::chat, "m");
  REQUIRE(target);
  CHECK((*target)->url == "https://models.example/v1/chat/completions?a=b&c=d");
  CHECK((*target)->headers == std::vector<NameValue>{{"X-Team", "a"}});
  CHECK(one->target(Operation::chat, "other").value() == *target);
  CHECK(one->endpoint.origin == "https://models.example:443");
  CHECK((*target)->address_allowed("8.8.8.8"));
  CHECK_FALSE((*target)->address_allowed("10.0.0.1"));
  CHECK_FALSE((*target)->address_allowed("127.0.0.1"));
  CHECK_FALSE((*target)->address_allowed("fe80::1%eth0"));
  CHECK_FALSE((*target)->address_allowed("nonsense"));
}

TEST_CASE("a path that holds the model makes a target per call", "[registry]") {
  Endpoint made = endpoint("azure");
  made.settings.base_url = "https://res.example";
  made.settings.dialect = "azure_deployments";
  const auto azure = entry(made);
  const auto target = azure->target(Operation::chat, "my/dep");
  REQUIRE(target);
  CHECK((*target)->url.find("my%2Fdep") != std::string::npos);
  const auto refused = azure->target(Operation::responses, "m");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::request_unsupported);
}

std::string pool_of(Endpoint made) {
  return entry(std::move(made))->target(Operation::chat, "m").value()->pool;
}

TEST_CASE("connections are shared by nothing that differs", "[registry]") {
  std::vector<std::string> pools;
  const auto add = [&](auto edit) {
    Endpoint made = endpoint("one");
    edit(made);
    pools.push_back(pool_of(std::move(made)));
  };
  add([](Endpoint&) {});
  add([](Endpoint& made) { made.id = "other"; });
  add([](Endpoint& made) { made.key_generation = 2; });
  add([](Endpoint& made) { made.settings.org = "acme"; });
  add([](Endpoint& made) { made.settings.base_url = "https://models.example:8443/v1"; });
  add([](Endpoint& made) { made.settings.ca_file = "/ca.pem"; });
  add([](Endpoint& made) {
    made.settings.client_cert = "/c.pem";
    made.settings.client_key = "/k.pem";
  });
  add([](Endpoint& made) { made.settings.proxy = "http://127.0.0.1:1"; });
  add([](Endpoint& made) { made.settings.allow_addresses = {"10.0.0.0/8"}; });
  std::sort(pools.begin(), pools.end());
  CHECK(std::unique(pools.begin(), pools.end()) == pools.end());
  CHECK(pool_of(endpoint("one")) == pool_of(endpoint("one")));
}

TEST_CASE("with a proxy the proxy's address is judged, for that is what is dialled", "[registry]") {
  Endpoint made = endpoint("one");
  made.settings.proxy = "http://127.0.0.1:3128";
  const auto target = entry(made)->target(Operation::chat, "m").value();
  CHECK(target->address_allowed("127.0.0.1"));
  CHECK_FALSE(target->address_allowed("10.0.0.1"));
}

TEST_CASE("the endpoint's time-outs go before its dialect's", "[registry]") {
  Endpoint made = endpoint("one");
  made.settings.timeouts.connect = std::chrono::milliseconds(7);
  const auto one = entry(made);
  CHECK(one->timeouts.connect == std::chrono::milliseconds(7));
  CHECK(one->timeouts.total == one->dialect.transport.total);
}

TEST_CASE("an entry keeps the dialect that its settings make", "[registry]") {
  Endpoint made = endpoint("one");
  made.settings.dialect = R"({"paths":{"chat":"talk"},"headers":{"X-A":"b"}})";
  const auto one = entry(made);
  CHECK(one->dialect.name == "generic (changed)");
  const auto target = one->target(Operation::chat, "m").value();
  CHECK(target->url == "https://models.example/v1/talk");
  CHECK(target->headers == std::vector<NameValue>{{"X-A", "b"}});
}

TEST_CASE("a reader sees what was published last, and keeps what it holds", "[registry]") {
  SnapshotCell cell;
  SnapshotCell other;
  CHECK(cell.current()->entries().empty());
  cell.publish(std::make_shared<const Snapshot>(
      std::vector<std::shared_ptr<const Entry>>{entry(endpoint("one"))}));
  const auto held = cell.current();
  CHECK(held->find("local", "one"));
  CHECK(other.current()->entries().empty());
  CHECK(cell.current() == held);
  cell.publish(std::make_shared<const Snapshot>());
  CHECK(cell.current()->entries().empty());
  CHECK(held->find("local", "one"));
}

TEST_CASE("what a thread saw of a cell that ended is dropped", "[registry]") {
  std::weak_ptr<const Entry> seen;
  {
    SnapshotCell cell;
    auto one = entry(endpoint("one"));
    seen = one;
    cell.publish(std::make_shared<const Snapshot>(
        std::vector<std::shared_ptr<const Entry>>{std::move(one)}));
    static_cast<void>(cell.current());
  }
  CHECK_FALSE(seen.expired());
  SnapshotCell next;
  static_cast<void>(next.current());
  CHECK(seen.expired());
}

TEST_CASE("many threads read while one publishes", "[registry]") {
  SnapshotCell cell;
  std::atomic<bool> is_done{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 4; ++reader) {
    readers.emplace_back([&] {
      std::uint64_t last = 0;
      while (!is_done.load()) {
        const auto snapshot = cell.current();
        const auto& found = snapshot->find("local", "one");
        const std::uint64_t now = found ? found->endpoint.key_generation : 0;
        if (now < last) ++wrong;
        last = now;
      }
    });
  }
  for (std::uint64_t generation = 1; generation <= 200; ++generation) {
    Endpoint made = endpoint("one");
    made.key_generation = generation;
    cell.publish(std::make_shared<const Snapshot>(
        std::vector<std::shared_ptr<const Entry>>{entry(std::move(made))}));
  }
  is_done = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace byway::registry
