// The probe over a real store and the scripted transport.
#include "catch.hpp"

#include <byway/probe.hpp>
#include <byway/testing/fake_clock.hpp>
#include <byway/testing/fake_transport.hpp>

#include "router/catalog_rig.hpp"

namespace byway::router {
namespace {

using testing::FakeTransport;
using testing::Script;
using testing::SendBody;
using testing::SendHead;

constexpr std::string_view list_of_models =
    R"({"object":"list","data":[{"id":"m-1","owned_by":"vllm","max_model_len":4096}]})";

std::string chat_reply(const std::string& message, const std::string& more = "",
                       const std::string& finish = "stop") {
  return R"({"id":"c","object":"chat.completion","model":"m-1","choices":[{"index":0,"message":)" +
         message + more + R"(,"finish_reason":")" + finish + R"("}]})";
}

const std::string said = R"({"role":"assistant","content":"a"})";
const std::string called =
    R"({"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function",)"
    R"("function":{"name":"noop","arguments":"{}"}}]})";
const std::string kept_schema = R"({"role":"assistant","content":"{\"ok\":true}"})";
const std::string chat_logprobs =
    R"(,"logprobs":{"content":[{"token":"a","logprob":-0.25,"top_logprobs":[]}]})";

std::string echo_reply(const std::string& values, const std::string& text) {
  return R"({"id":"c","object":"text_completion","model":"m-1","choices":[{"index":0,"text":")" +
         text + R"(","logprobs":{"tokens":["One"," two"," three"," four"],"token_logprobs":)" +
         values + R"(},"finish_reason":"length"}]})";
}

const std::string embedding_reply =
    R"({"object":"list","model":"m-1","data":[{"object":"embedding","index":0,)"
    R"("embedding":[0.5,0.25,1]}]})";

struct ProbeRig {
  CatalogFolder folder;
  std::shared_ptr<FakeTransport> transport = std::make_shared<FakeTransport>();
  std::optional<Router> router;

  ProbeRig() {
    must(create_store({.path = folder.store(), .master_key = key_of('a')}));
    open();
    EndpointSettings settings = settings_of("one");
    must(router->admin_as_owner().add_endpoint(settings, canary));
  }

  /// Another process would see the same.
  void open() {
    router.reset();
    router.emplace(must(Router::open({.store = folder.store(),
                                      .master_key = key_of('a'),
                                      .require_key = false,
                                      .transport = transport,
                                      .clock = std::make_shared<testing::FakeClock>()})));
  }

  void reopen() {
    transport = std::make_shared<FakeTransport>();
    open();
  }

  void script_basics() {
    transport->script(
        Script{SendHead{200, {{"content-type", "application/json"}, {"x-ratelimit-limit", "60"}}},
               SendBody{std::string(list_of_models)}, testing::Finish{}});
    transport->reply(200, chat_reply(said));
    transport->reply_events(
        {R"({"id":"c","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]})",
         R"({"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"length"}]})",
         R"({"id":"c","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,)"
         R"("total_tokens":2}})"});
  }

  ProbeReport probe(bool is_thorough) {
    return must(probe_endpoint(*router, "one", {.is_thorough = is_thorough}));
  }
  std::optional<CapabilityRecord> record() {
    return must(router->admin_as_owner().endpoint("one")).capabilities;
  }
};

TEST_CASE("a thorough probe learns by value what the server does, and proposes a dialect",
          "[probe]") {
  ProbeRig rig;
  rig.script_basics();
  rig.transport->reply(200, chat_reply(called, "", "tool_calls"))
      .reply(200, chat_reply(kept_schema))
      .reply(200, chat_reply(said, chat_logprobs))
      .reply(200, echo_reply("[null,-1.5,-0.25,-2]", "One two three four five."))
      .reply(200, embedding_reply);
  const ProbeReport report = rig.probe(true);
  CHECK(report.is_usable);
  CHECK(report.is_kept);
  const CapabilityRecord& record = report.record;
  for (const std::string_view name : capability_names()) {
    INFO(name);
    CHECK(offers(record, name) == true);
  }
  CHECK(record.model == "m-1");
  CHECK(record.context_length == 4096);
  CHECK(record.dimensions == 3);
  CHECK(record.rate_headers == std::vector<std::string>{"x-ratelimit-limit"});
  CHECK(record.proposed_dialect == "vllm");
  CHECK(record.proposal_reason == "owned_by vllm");
  CHECK_FALSE(record.probed_at.empty());
  CHECK(record.thorough_at == record.probed_at);
  CHECK(must(rig.router->admin_as_owner().endpoint("one")).settings.dialect == "generic");
}

TEST_CASE("tools and schemas that are taken and forgotten are told apart", "[probe]") {
  ProbeRig rig;
  rig.script_basics();
  rig.transport->reply(200, chat_reply(said))
      .reply(200, chat_reply(said))
      .reply(200, chat_reply(said))
      .reply(200, echo_reply("[0,0,0,0]", "One two three four five."))
      .reply(404, R"({"error":{"message":"Not Found"}})");
  const CapabilityRecord record = rig.probe(true).record;
  CHECK(record.tools == true);
  CHECK(record.tool_calls == false);
  CHECK(record.json_schema == true);
  CHECK(record.json_schema_kept == false);
  CHECK(record.logprobs == false);
  CHECK(record.echo_logprobs == false);
  CHECK(record.embeddings == false);
}

TEST_CASE("an answer that was cut by its length says nothing of what it did not come to",
          "[probe]") {
  ProbeRig rig;
  rig.script_basics();
  rig.transport->reply(200, chat_reply(said, "", "length"))
      .reply(200, chat_reply(said, "", "length"))
      .reply(400, R"({"error":{"message":"logprobs is not supported"}})")
      .reply(200, echo_reply("[null,-1.5,-0.25,-2]", " six"))
      .reply(404, "");
  const CapabilityRecord record = rig.probe(true).record;
  CHECK(record.tools == true);
  CHECK(record.tool_calls == std::nullopt);
  CHECK(record.json_schema_kept == std::nullopt);
  CHECK(record.logprobs == false);
  // Without the prompt they are those of the answer.
  CHECK(record.echo_logprobs == false);
}

TEST_CASE("what a probe learned is in the store, for show and explain", "[probe]") {
  ProbeRig rig;
  CHECK_FALSE(rig.record());
  rig.script_basics();
  const CapabilityRecord learned = rig.probe(false).record;
  CHECK(rig.record() == learned);
  rig.reopen();
  CHECK(rig.record() == learned);
  const Explanation told = rig.router->explain({.model = "byo:one/m-1"});
  CHECK(told.capabilities == learned);
}

TEST_CASE("an outage is told and takes nothing away that was learned", "[probe]") {
  ProbeRig rig;
  rig.script_basics();
  rig.probe(false);
  rig.transport->reply(503, R"({"error":{"message":"Loading model"}})");
  rig.transport->reply(503, R"({"error":{"message":"Loading model"}})");
  const ProbeReport report =
      must(probe_endpoint(*rig.router, "one", {.model = "m-1", .is_thorough = true}));
  CHECK_FALSE(report.is_usable);
  const CapabilityRecord record = rig.record().value();
  CHECK_FALSE(record.is_usable);
  CHECK(record.problem == "unavailable_starting");
  CHECK(record.stream == true);
  CHECK(record.thorough_at.empty());
}

TEST_CASE("another base URL is another server, of which nothing is known", "[probe]") {
  ProbeRig rig;
  rig.script_basics();
  rig.probe(false);
  Admin admin = rig.router->admin_as_owner();
  const FieldChange name{"name", "One"};
  must(admin.set_endpoint("one", std::span(&name, 1)));
  CHECK(rig.record());
  const FieldChange url{"base_url", "https://models.example/v2"};
  const auto stored = must(admin.set_endpoint("one", std::span(&url, 1)));
  CHECK_FALSE(stored.endpoint.capabilities);
  CHECK_FALSE(rig.record());
}

TEST_CASE("a record that cannot be read stops no call", "[probe]") {
  ProbeRig rig;
  rig.router.reset();
  {
    auto store = must(store::RegistryStore::open(rig.folder.store()));
    const auto row = must(store.find_endpoint("local", "one"));
    must(store.put_capabilities(row->id, "{broken"));
  }
  rig.reopen();
  CHECK_FALSE(rig.record());
  CHECK_FALSE(rig.router->explain({.model = "byo:one/m-1"}).refusal);
}

TEST_CASE("a probe sends fixed words only", "[probe]") {
  ProbeRig rig;
  Admin admin = rig.router->admin_as_owner();
  rig.script_basics();
  for (int i = 0; i < 5; ++i) rig.transport->reply(200, chat_reply(said));
  must(probe_endpoint(*rig.router, "one", {.is_thorough = true}));
  const auto seen = rig.transport->requests();
  REQUIRE(seen.size() == 8);
  for (const auto& request : seen) {
    INFO(request.body);
    CHECK(request.has_secret);
    CHECK(request.body.find("canary") == std::string::npos);
    CHECK((request.body.empty() || request.body.find("\"Hi\"") != std::string::npos ||
           request.body.find("\"One two three four five\"") != std::string::npos));
  }
  CHECK_FALSE(rig.folder.holds(canary));
}

}  // namespace
}  // namespace byway::router
