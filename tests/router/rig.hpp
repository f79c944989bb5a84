// A router over a registry file and the scripted transport: no store, no network, no waiting.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <byway/router.hpp>
#include <byway/testing/fake_clock.hpp>
#include <byway/testing/fake_transport.hpp>

#include "catch.hpp"

namespace byway::testing {

/// A folder that goes with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "byway-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(file(name)) << text;
    return file(name);
  }

 private:
  std::filesystem::path path_;
};

inline constexpr std::string_view canary_key = "sk-canary-7f3a9b2c5d1e8046";

/// `one` has a key, `open` has none, `off` is disabled, `few` allows one model.
inline std::string registry_text() {
  return R"([[endpoint]]
slug = "one"
base_url = "http://127.0.0.1:9/v1"
key = "env:BYWAY_TEST_CANARY"

[[endpoint]]
slug = "open"
base_url = "http://127.0.0.1:9/v1"

[[endpoint]]
slug = "off"
base_url = "http://127.0.0.1:9/v1"
enabled = false

[[endpoint]]
slug = "few"
base_url = "http://127.0.0.1:9/v1"
allow = ["good"]
)";
}

struct RouterRig {
  TemporaryFolder folder;
  std::shared_ptr<FakeTransport> transport = std::make_shared<FakeTransport>();
  std::shared_ptr<FakeClock> clock = std::make_shared<FakeClock>();
  Router router = open();

  Router open() {
    setenv("BYWAY_TEST_CANARY", std::string(canary_key).c_str(), 1);
    auto opened = Router::open({.registry = folder.write("byway.toml", registry_text()),
                                .require_key = false,
                                .transport = transport,
                                .clock = clock});
    if (!opened) FAIL(opened.error().message());
    return *std::move(opened);
  }
};

inline constexpr std::string_view chat_body =
    R"({"model":"byo:one/m-1","messages":[{"role":"user","content":"Hello"}]})";

inline std::string reply_text(std::string_view text) {
  return R"({"id":"chatcmpl-1","object":"chat.completion","model":"m-1",)"
         R"("choices":[{"index":0,"message":)"
         R"({"role":"assistant","content":")" +
         std::string(text) +
         R"("},"finish_reason":"stop"}],)"
         R"("usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}})";
}

/// The events of a streamed "Hello", without `data:` and without the end marker.
inline std::vector<std::string> hello_events() {
  const std::string base = R"({"id":"chatcmpl-t","object":"chat.completion.chunk",)"
                           R"("created":1700000000,"model":"m1",)";
  return {
      base +
          R"("choices":[{"index":0,"delta":{"role":"assistant","content":""},)"
          R"("finish_reason":null}]})",
      base + R"("choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]})",
      base + R"("choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":null}]})",
      base + R"("choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})",
      base + R"("choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}})"};
}

inline Script stream_script(std::vector<std::string> events, bool has_end_marker = true) {
  Script steps{SendHead{200, {{"content-type", "text/event-stream"}}}};
  for (auto& event : events) steps.emplace_back(SendBody{"data: " + event + "\n\n"});
  if (has_end_marker) steps.emplace_back(SendBody{"data: [DONE]\n\n"});
  return steps;
}

}  // namespace byway::testing
