#include "catch.hpp"

#include <map>
#include <vector>

#include "wire/dialect.hpp"
#include "wire/dialect_marks.hpp"

namespace byway::wire {
namespace {

using Headers = std::map<std::string, std::string, std::less<>>;

std::string proposal(std::string_view url, const std::vector<std::string>& owners = {},
                     const Headers& headers = {}) {
  const auto header = [&](std::string_view name) -> std::optional<std::string_view> {
    const auto found = headers.find(name);
    if (found == headers.end()) return {};
    return found->second;
  };
  const DialectMark* mark = matching_mark({.base_url = url, .owned_by = owners, .header = header});
  return mark == nullptr ? "" : std::string(mark->dialect);
}

TEST_CASE("every dialect that can be proposed is a preset") {
  for (const DialectMark& mark : dialect_marks()) {
    INFO(mark.dialect);
    CHECK(preset(mark.dialect) != nullptr);
    CHECK((mark.place == MarkPlace::header) == !mark.name.empty());
  }
}

TEST_CASE("a hosted server is known by its address") {
  CHECK(proposal("https://api.together.xyz/v1") == "together");
  CHECK(proposal("https://res.openai.azure.com/openai/deployments/d") == "azure_deployments");
  CHECK(proposal("https://res.openai.azure.com/openai/v1") == "azure_v1");
  CHECK(proposal("https://ws.example/serving-endpoints") == "databricks");
  CHECK(proposal("http://127.0.0.1:5000/gateway/mlflow/v1") == "mlflow");
  CHECK(proposal("https://eu-aiplatform.googleapis.com/v1/projects/p") == "vertex");
}

TEST_CASE("an address that only looks like a vendor's proposes nothing") {
  CHECK(proposal("https://api.together.xyz.evil.example/v1").empty());
  CHECK(proposal("https://models.example/v1?x=/gateway/mlflow/").empty());
  CHECK(proposal("http://127.0.0.1:11434/v1").empty());
}

TEST_CASE("a server of one's own is known by what it says") {
  CHECK(proposal("http://127.0.0.1:8000/v1", {"me", "vllm"}) == "vllm");
  CHECK(proposal("http://127.0.0.1:8000/v1", {"library"}) == "ollama");
  CHECK(proposal("http://127.0.0.1:8000/v1", {}, {{"server", "llama.cpp"}}) == "llamacpp");
  CHECK(proposal("http://127.0.0.1:8000/v1", {}, {{"server", "uvicorn"}}).empty());
  CHECK(proposal("http://127.0.0.1:8000/v1", {}, {{"x-litellm-version", "1"}}) == "litellm");
}

}  // namespace
}  // namespace byway::wire
