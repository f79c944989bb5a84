#include <string>
#include <vector>

#include "catch.hpp"
#include "wire/dialect.hpp"
#include "wire/dialect_texts.hpp"
#include "wire/failure.hpp"
#include "wire/operation_url.hpp"

using namespace byway;
using namespace byway::wire;

namespace {

const Dialect& named(std::string_view name) {
  const Dialect* dialect = preset(name);
  REQUIRE(dialect != nullptr);
  return *dialect;
}

std::string fault(std::string_view json) {
  const auto dialect = parse_dialect(json);
  REQUIRE_FALSE(dialect);
  CHECK(dialect.error().code() == ErrorCode::registry_field_invalid);
  return dialect.error().message();
}

std::string url(std::string_view base, std::string_view dialect, Operation operation,
                std::string_view model = "m", std::span<const QueryPair> query = {}) {
  return operation_url(base, named(dialect), operation, model, query).value();
}

}  // namespace

TEST_CASE("every preset is a dialect") {
  const std::vector<std::string_view> expected = {"azure_deployments",
                                                  "azure_v1",
                                                  "bedrock_shim",
                                                  "databricks",
                                                  "fireworks",
                                                  "generic",
                                                  "litellm",
                                                  "llamacpp",
                                                  "lmstudio",
                                                  "mlflow",
                                                  "nebius",
                                                  "nim",
                                                  "ollama",
                                                  "openai",
                                                  "openrouter",
                                                  "sambanova",
                                                  "sglang",
                                                  "tei",
                                                  "tgi",
                                                  "together",
                                                  "vertex",
                                                  "vllm"};
  CHECK(std::vector<std::string_view>(preset_names().begin(), preset_names().end()) == expected);
  for (const DialectText& text : dialect_texts()) {
    INFO(text.name);
    const auto dialect = parse_dialect(text.json);
    INFO((dialect ? std::string() : dialect.error().message()));
    CHECK(dialect);
    CHECK(named(text.name).name == text.name);
  }
  CHECK(preset("nobody") == nullptr);
}

TEST_CASE("the presets say what differs") {
  CHECK(named("openai").usage == UsagePolicy::as_caller);
  CHECK_FALSE(named("openai").offers(Operation::rerank));
  CHECK(named("generic").offers(Operation::rerank));
  CHECK(named("vllm").usage == UsagePolicy::request);
  CHECK(named("vllm").probe.path == "^/health");
  CHECK(named("sglang").usage == UsagePolicy::request);
  CHECK_FALSE(named("sglang").offers(Capability::base64));
  CHECK(named("ollama").auth.kind == AuthKind::none);
  CHECK(named("ollama").body_of(Operation::chat).rename.at(0).second == "max_tokens");
  CHECK(named("ollama").probe.judge == ProbeJudge::json_has);
  CHECK(named("ollama").probe.key == "version");
  CHECK(named("ollama").transport.first_token == std::chrono::minutes(10));
  CHECK_FALSE(named("ollama").offers(Capability::n_gt_1));
  CHECK(named("tei").body_of(Operation::rerank).rename.at(0).second == "texts");
  CHECK(named("tei").body_of(Operation::embeddings).rename.empty());
  CHECK_FALSE(named("tei").offers(Operation::chat));
  CHECK(named("nim").body_of(Operation::embeddings).set_default.at(0).second == "\"query\"");
  CHECK(named("nim").body_of(Operation::chat).set_default.empty());
  CHECK(named("nim").body_of(Operation::chat).ignored.size() > 3);
  CHECK(named("databricks").usage == UsagePolicy::strip);
  CHECK_FALSE(named("databricks").lists_models);
  CHECK(named("azure_deployments").auth.header == "api-key");
  CHECK(named("azure_deployments").omits_model);
  CHECK(named("openrouter").rate.reset_unit == ResetUnit::epoch_ms);
  CHECK(named("together").errors.size() == 2);
  CHECK(named("vertex").auth.kind == AuthKind::provider);
}

TEST_CASE("a dialect extends a preset: objects merge, arrays replace") {
  const auto dialect = parse_dialect(
      R"({"name":"mine","extends":"vllm","body":{"drop":["user"]},"transport":{"stall_ms":1500}})");
  REQUIRE(dialect);
  CHECK(dialect->name == "mine");
  CHECK(dialect->usage == UsagePolicy::request);
  CHECK(dialect->body_of(Operation::chat).drop == std::vector<std::string>{"user"});
  CHECK(dialect->body_of(Operation::chat).ignored.size() == 6);
  CHECK(dialect->transport.stall == std::chrono::milliseconds(1500));
  CHECK(dialect->transport.pool_age == std::chrono::seconds(4));
  CHECK(parse_dialect("{}", "databricks").value().usage == UsagePolicy::strip);
  CHECK(parse_dialect("{}").value().name == "openai");
}

TEST_CASE("an endpoint names a preset or changes keys of one") {
  const auto plain = dialect_of_setting("vllm");
  REQUIRE(plain);
  CHECK(plain->get() == preset("vllm"));
  const auto changed = dialect_of_setting(
      R"({"extends":"vllm","stream":{"finish":"optional"},"transport":{"stall_ms":7}})");
  REQUIRE(changed);
  CHECK((*changed)->name == "vllm (changed)");
  CHECK_FALSE((*changed)->stream.needs_finish);
  CHECK((*changed)->transport.stall == std::chrono::milliseconds(7));
  CHECK((*changed)->usage == named("vllm").usage);
  CHECK((*changed)->probe.path == named("vllm").probe.path);
  CHECK(preset_of_setting(R"({"extends":"vllm"})") == "vllm");
  CHECK(preset_of_setting("{}") == "generic");
  CHECK((*dialect_of_setting("{}"))->name == "generic (changed)");
  for (const char* bad : {"", "nope", "{", "[]", R"({"extends":"nope"})",
                          R"({"finish":"optional"})", R"({"stream":{"finish":true}})",
                          R"({"transport":{"max_conns":4}})", R"({"transport":{"http":"2"}})"}) {
    INFO(bad);
    const auto refused = dialect_of_setting(bad);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == ErrorCode::registry_field_invalid);
  }
}

TEST_CASE("no key goes into a header that frames the request") {
  for (const char* name : {"Host", "content-length", "Transfer-Encoding", "connection"}) {
    INFO(name);
    CHECK(fault(std::string(R"({"auth":{"kind":"header","header":")") + name + "\"}}")
              .find("auth.header") != std::string::npos);
  }
  CHECK(parse_dialect(R"({"auth":{"kind":"header","header":"x-api-key"}})"));
}

TEST_CASE("a dialect that is not one is refused, naming the key") {
  struct Row {
    std::string json;
    std::string named;
  };
  const Row rows[] = {
      {"", "object"},
      {"[]", "object"},
      {"{", "byte"},
      {R"({"usage":"sometimes"})", "usage"},
      {R"({"unknown":1})", "unknown"},
      {R"({"usage":"strip","usage":"strip"})", "usage"},
      {R"({"extends":"nobody"})", "nobody"},
      {R"({"extends":7})", "extends"},
      {R"({"paths":{"chat":"/absolute"}})", "paths.chat"},
      {R"({"paths":{"chat":"a?b"}})", "paths.chat"},
      {R"({"paths":{"chat":"{evil}"}})", "paths.chat"},
      {R"({"paths":{"chat":"../x"}})", "paths.chat"},
      {R"({"paths":{"chat":""}})", "paths.chat"},
      {R"({"paths":{"sing":"x"}})", "paths.sing"},
      {R"({"auth":{"kind":"magic"}})", "auth.kind"},
      {R"({"auth":{"kind":"header"}})", "auth.header"},
      {R"({"auth":{"kind":"header","header":"a b"}})", "auth.header"},
      {R"({"headers":{"Authorization":"x"}})", "headers"},
      {R"({"headers":{"x-a":"b\u0000"}})", "headers"},
      {R"({"headers":["x"]})", "headers"},
      {R"({"body":{"drop":"user"}})", "body.drop"},
      {R"({"body":{"drop":["model"]}})", "body.drop"},
      {R"({"body":{"rename":{"stream":"x"}}})", "body.rename"},
      {R"({"body":{"operations":{"chat":{"x":1}}}})", "body.operations.chat.x"},
      {R"({"caps":["flying"]})", "caps"},
      {R"({"caps":"all"})", "caps"},
      {R"({"probe":{"method":"POST"}})", "probe.method"},
      {R"({"probe":{"judge":"json_has:"}})", "probe.judge"},
      {R"({"errors":[{"status":42,"class":"auth"}]})", "errors.status"},
      {R"({"errors":[{"status":429}]})", "errors.class"},
      {R"({"errors":[{"class":"none"}]})", "errors.class"},
      {R"({"rate":{"reset_unit":"days"}})", "rate.reset_unit"},
      {R"({"stream":{"done":true}})", "stream.done"},
      {R"({"transport":{"stall_ms":-1}})", "transport.stall_ms"},
      {R"({"transport":{"stall_ms":1.5}})", "transport.stall_ms"},
      {R"({"transport":{"http":"3"}})", "transport.http"},
  };
  for (const Row& row : rows) {
    INFO(row.json);
    CHECK(fault(row.json).find(row.named) != std::string::npos);
  }
}

TEST_CASE("the base is kept as given and the path of the operation appended") {
  using Op = Operation;
  struct Row {
    std::string base, dialect;
    Op operation;
    std::string url;
  };
  const Row rows[] = {
      {"https://api.openai.com/v1", "openai", Op::chat,
       "https://api.openai.com/v1/chat/completions"},
      {"https://api.tokenfactory.nebius.com/v1/", "nebius", Op::chat,
       "https://api.tokenfactory.nebius.com/v1/chat/completions"},
      {"http://host:8000/v1///", "vllm", Op::rerank, "http://host:8000/v1/rerank"},
      {"https://api.fireworks.ai/inference/v1", "fireworks", Op::completions,
       "https://api.fireworks.ai/inference/v1/completions"},
      {"http://host:4000", "litellm", Op::chat, "http://host:4000/chat/completions"},
      {"http://host:8080/v1", "tei", Op::rerank, "http://host:8080/rerank"},
      {"https://gw/llm-a/v1", "generic", Op::embeddings, "https://gw/llm-a/v1/embeddings"},
      {"https://ws/serving-endpoints", "databricks", Op::chat,
       "https://ws/serving-endpoints/chat/completions"},
      {"http://alb/api/v1", "bedrock_shim", Op::models, "http://alb/api/v1/models"},
      {"http://host/v1", "nim", Op::rerank, "http://host/v1/ranking"},
  };
  for (const Row& row : rows) CHECK(url(row.base, row.dialect, row.operation) == row.url);
}

TEST_CASE("Azure's deployments stand in the path, encoded, and api-version comes once") {
  const std::string version = "?api-version=2024-10-21";
  CHECK(url("https://r.openai.azure.com", "azure_deployments", Operation::chat, "my dep/1") ==
        "https://r.openai.azure.com/openai/deployments/my%20dep%2F1/chat/completions" + version);
  CHECK(url("https://r.openai.azure.com/openai/deployments/prod", "azure_deployments",
            Operation::embeddings, "ignored") ==
        "https://r.openai.azure.com/openai/deployments/prod/embeddings" + version);
  CHECK(url("https://r.openai.azure.com/openai/", "azure_deployments", Operation::chat, "d") ==
        "https://r.openai.azure.com/openai/deployments/d/chat/completions" + version);
  CHECK(url("https://r.openai.azure.com/?api-version=2025-01-01", "azure_deployments",
            Operation::chat, "d") ==
        "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2025-01-01");
  const std::vector<QueryPair> query = {{"api-version", "9 9"}, {"x", "&"}};
  CHECK(url("https://r.openai.azure.com/?api-version=1&a=b", "azure_deployments", Operation::chat,
            "d", query) ==
        "https://r.openai.azure.com/openai/deployments/d/chat/completions"
        "?a=b&api-version=9%209&x=%26");
  CHECK(url("https://r.openai.azure.com/openai/v1", "azure_v1", Operation::chat) ==
        "https://r.openai.azure.com/openai/v1/chat/completions");
}

TEST_CASE("a Bedrock id is encoded in a path") {
  std::string out;
  append_percent_encoded(out, "us.vendor.model-v1:0/x~y_z");
  CHECK(out == "us.vendor.model-v1%3A0%2Fx~y_z");
}

TEST_CASE("an operation that the dialect has no path for is unsupported") {
  const auto missing = operation_url("http://h/v1", named("tei"), Operation::chat, "m");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code() == ErrorCode::request_unsupported);
}

TEST_CASE("probes count from the root where the dialect says so") {
  CHECK(probe_url("http://h:8000/v1", named("vllm")) == "http://h:8000/health");
  CHECK(probe_url("http://h:11434/v1/", named("ollama")) == "http://h:11434/api/version");
  CHECK(probe_url("https://api.openai.com/v1", named("openai")) ==
        "https://api.openai.com/v1/models");
}

TEST_CASE("a pasted operation path is cut off") {
  struct Row {
    std::string pasted, base, suffix;
  };
  const Row rows[] = {
      {"https://h/v1/chat/completions", "https://h/v1", "chat/completions"},
      {"https://h/v1/chat/completions/", "https://h/v1", "chat/completions"},
      {"https://h/v1/completions", "https://h/v1", "completions"},
      {"https://h/embeddings", "https://h", "embeddings"},
      {"https://h/openai/deployments/d/chat/completions?api-version=1",
       "https://h/openai/deployments/d?api-version=1", "chat/completions"},
      {"https://h/v1", "https://h/v1", ""},
      {"https://h/mycompletions", "https://h/mycompletions", ""},
      {"https://completions", "https://completions", ""},
  };
  for (const Row& row : rows) {
    INFO(row.pasted);
    const StrippedUrl stripped = strip_operation(row.pasted);
    CHECK(stripped.base_url == row.base);
    CHECK(stripped.suffix == row.suffix);
  }
}

TEST_CASE("the presets' error rules hold") {
  const auto class_of = [](std::string_view dialect, int status, std::string_view body) {
    const WholeAnswer answer{.operation = Operation::chat, .status = status, .body = body};
    return judge_whole(answer, named(dialect)).value().upstream_class;
  };
  CHECK(class_of("sglang", 500, R"({"object":"error","message":"the context length is 10"})") ==
        UpstreamClass::context_length);
  CHECK(class_of("tgi", 422, R"({"error":"Model is overloaded","error_type":"overloaded"})") ==
        UpstreamClass::overloaded);
  CHECK(class_of("fireworks", 412, "") == UpstreamClass::unavailable_starting);
  CHECK(class_of("azure_v1", 404, R"({"error":{"code":"DeploymentNotFound","message":"x"}})") ==
        UpstreamClass::not_found_model);
  CHECK(class_of("openrouter", 403, R"({"error":{"code":403,"message":"input was flagged"}})") ==
        UpstreamClass::content_filter);
  CHECK(class_of("sambanova", 410, "") == UpstreamClass::not_found_model);
  CHECK(class_of("lmstudio", 200, R"({"error":"Unexpected endpoint or method."})") ==
        UpstreamClass::not_found_route);
}
