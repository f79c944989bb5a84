// Byway against a server nobody here wrote: llama.cpp with SmolLM2. Shapes are compared, never
// texts.
#include <cmath>
#include <fstream>
#include <thread>

#include <byway/router.hpp>

#include "catch.hpp"
#include "real/server_process.hpp"
#include "router/rig.hpp"

using namespace byway;
using namespace byway::real;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

bool is_available() {
  static const std::optional<std::string> reason = why_unavailable();
  if (reason) WARN("skipped: " << *reason);
  return !reason;
}

struct RealRig {
  LlamaServer server;
  testing::TemporaryFolder folder;
  std::optional<Router> router;

  explicit RealRig(std::vector<std::string> options = {"-t", "1"}, bool waits = true)
      : server(std::move(options)) {
    setenv("BYWAY_REAL_KEY", "k", 1);
    setenv("BYWAY_WRONG_KEY", "sk-wrong-canary-123456", 1);
    const std::string url = server.base_url();
    const std::string text =
        "[[endpoint]]\nslug = \"smol\"\nbase_url = \"" + url +
        "\"\nkey = \"env:BYWAY_REAL_KEY\"\n" +
        "dialect = \"llamacpp\"\n\n[[endpoint]]\nslug = \"wrong\"\nbase_url = \"" + url +
        "\"\nkey = \"env:BYWAY_WRONG_KEY\"\ndialect = \"llamacpp\"\n";
    if (waits) REQUIRE(server.wait_until_healthy(seconds(120)));
    auto opened =
        Router::open({.registry = folder.write("byway.toml", text), .require_key = false});
    if (!opened) FAIL(opened.error().message());
    router.emplace(*std::move(opened));
  }
};

std::string chat(std::string_view extra, std::string_view model = "byo:smol/smol") {
  return R"({"model":")" + std::string(model) +
         R"(","messages":[{"role":"user","content":"Say hello."}])" + std::string(extra) + "}";
}

bool becomes_idle(const LlamaServer& server, seconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (std::chrono::steady_clock::now() < until) {
    if (server.busy_slots() == 0) return true;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return false;
}

}  // namespace

TEST_CASE("llama.cpp: chat, whole and streamed, completions, models and limits of length") {
  if (!is_available()) return;
  RealRig rig;
  Router& router = *rig.router;

  auto whole = router.call({.body = chat(R"(,"max_tokens":8,"temperature":0)")}).get();
  if (!whole) FAIL(whole.error().message());
  CHECK_FALSE(whole->text().empty());
  CHECK(whole->finish_reason() == "length");
  REQUIRE(whole->usage() != nullptr);
  CHECK(whole->usage()->completion_tokens == 8);
  CHECK(whole->reply().model_served == "smol");

  auto stream = router.stream(
      {.body = chat(R"(,"max_tokens":8,"temperature":0,"stream_options":{"include_usage":true})")});
  std::string text;
  while (const StreamEvent* event = stream.next()) text += event->text;
  auto folded = stream.result();
  if (!folded) FAIL(folded.error().message());
  CHECK(text == folded->text());
  CHECK_FALSE(text.empty());
  CHECK(folded->finish_reason() == "length");
  REQUIRE(folded->usage() != nullptr);
  CHECK(folded->usage()->completion_tokens == 8);

  auto stopped =
      router.call({.body = chat(R"(,"max_tokens":64,"temperature":0,"stop":["!",".",","])")}).get();
  REQUIRE(stopped);
  CHECK(stopped->finish_reason() == "stop");

  auto completion =
      router
          .call({.operation = Operation::completions,
                 .body = R"({"model":"byo:smol/smol","prompt":"The capital of France is",)"
                         R"("max_tokens":5,"temperature":0})"})
          .get();
  if (!completion) FAIL(completion.error().message());
  CHECK_FALSE(completion->text().empty());

  auto models = router.call({.operation = Operation::models, .model = "byo:smol"}).get();
  if (!models) FAIL(models.error().message());
  REQUIRE(models->items().size() == 1);
  CHECK(models->items()[0].id == "smol");

  auto embeddings = router
                        .call({.operation = Operation::embeddings,
                               .body = R"({"model":"byo:smol/smol","input":"a"})"})
                        .get();
  REQUIRE_FALSE(embeddings);
  CHECK(embeddings.error().upstream_class() == UpstreamClass::not_found_route);
  CHECK(embeddings.error().http_status() == 501);

  auto unauthorised = router.call({.body = chat("", "byo:wrong/smol")}).get();
  REQUIRE_FALSE(unauthorised);
  CHECK(unauthorised.error().code() == ErrorCode::upstream_error);
  CHECK(unauthorised.error().upstream_class() == UpstreamClass::auth);
  CHECK(unauthorised.error().http_status() == 401);
  CHECK(unauthorised.error().json().find("canary") == std::string::npos);

  // In single-model mode the server ignores the name and says so in the answer.
  auto unknown = router.call({.body = chat(R"(,"max_tokens":1)", "byo:smol/no-such-model")}).get();
  REQUIRE(unknown);
  CHECK(unknown->metadata().model == "no-such-model");
  CHECK(unknown->reply().model_served == "smol");
}

TEST_CASE("llama.cpp: a cancelled stream frees its slot") {
  if (!is_available()) return;
  RealRig rig;
  auto stream = rig.router->stream({.body = chat(R"(,"max_tokens":900,"ignore_eos":true)")});
  const StreamEvent* event = stream.next();
  while (event != nullptr && event->kind != StreamEventKind::delta) event = stream.next();
  if (event == nullptr) FAIL(stream.error()->message());
  CHECK(rig.server.busy_slots() == 1);
  stream.cancel();
  CHECK(becomes_idle(rig.server, seconds(20)));
  while (stream.next() != nullptr) {
  }
  CHECK(stream.error()->code() == ErrorCode::request_cancelled);
}

TEST_CASE("llama.cpp: a request longer than the context is context_length, streamed or not") {
  if (!is_available()) return;
  RealRig rig({"-t", "1", "-c", "256", "-np", "1"});
  std::string words;
  for (int i = 0; i < 400; ++i) words += "word ";
  const std::string body =
      R"({"model":"byo:smol/smol","messages":[{"role":"user","content":")" + words + "\"}]}";
  auto reply = rig.router->call({.body = body}).get();
  REQUIRE_FALSE(reply);
  CHECK(reply.error().upstream_class() == UpstreamClass::context_length);
  CHECK(reply.error().status() == 400);
  auto stream = rig.router->stream({.body = body});
  CHECK(stream.next() == nullptr);
  REQUIRE(stream.error() != nullptr);
  CHECK(stream.error()->upstream_class() == UpstreamClass::context_length);
}

TEST_CASE("llama.cpp: embeddings as floats and as base64 are the same vectors") {
  if (!is_available()) return;
  RealRig rig({"-t", "1", "--embeddings", "--pooling", "mean", "-c", "512"});
  const auto embed = [&](std::string_view extra) {
    return rig.router
        ->call({.operation = Operation::embeddings,
                .body = R"({"model":"byo:smol/smol","input":["a cat","a dog"])" +
                        std::string(extra) + "}"})
        .get();
  };
  auto floats = embed("");
  if (!floats) FAIL(floats.error().message());
  auto encoded = embed(R"(,"encoding_format":"base64")");
  if (!encoded) FAIL(encoded.error().message());
  REQUIRE(floats->embeddings().size() == 2);
  REQUIRE(encoded->embeddings().size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& a = floats->embeddings()[i];
    const auto& b = encoded->embeddings()[i];
    REQUIRE(a.size() == 576);
    REQUIRE(b.size() == 576);
    for (std::size_t k = 0; k < a.size(); ++k) REQUIRE(std::abs(a[k] - b[k]) < 1e-5F);
  }
}

TEST_CASE("llama.cpp: a server that loads is starting, and attempts wait for it") {
  if (!is_available()) return;
  RealRig rig({"-t", "1"}, false);
  bool was_starting = false;
  for (int i = 0; i < 20'000 && !was_starting; ++i) {
    auto reply = rig.router->call({.body = chat(R"(,"max_tokens":1)")}).get();
    if (reply) break;
    was_starting = reply.error().upstream_class() == UpstreamClass::unavailable_starting;
    if (!was_starting) CHECK(reply.error().upstream_class() == UpstreamClass::unavailable);
    std::this_thread::sleep_for(milliseconds(2));
  }
  if (!was_starting) WARN("the server was up before its 503 could be seen");
  auto reply = rig.router->call({.body = chat(R"(,"max_tokens":1)"), .attempts = 50}).get();
  if (!reply) FAIL(reply.error().message());
  CHECK_FALSE(reply->text().empty());
}
