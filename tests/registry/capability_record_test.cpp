#include "catch.hpp"

#include "registry/capability_fields.hpp"

namespace byway::registry {
namespace {

CapabilityRecord full() {
  CapabilityRecord record;
  record.probed_at = "2026-11-25T10:00:00Z";
  record.thorough_at = "2026-11-24T10:00:00Z";
  record.model = "org/\"model\"";
  record.is_usable = true;
  record.chat = true;
  record.tools = true;
  record.tool_calls = false;
  record.echo_logprobs = true;
  record.context_length = 4096;
  record.dimensions = 8;
  record.rate_headers = {"x-ratelimit-limit"};
  record.proposed_dialect = "vllm";
  record.proposal_reason = "owned_by vllm";
  return record;
}

TEST_CASE("a capability record is read back as it was written") {
  for (const CapabilityRecord& record : {CapabilityRecord(), full()}) {
    const auto read = capabilities_from_json(capabilities_to_json(record));
    REQUIRE(read);
    CHECK(*read == record);
  }
}

TEST_CASE("what a newer Byway wrote in a record is passed over, and nonsense is refused") {
  const auto read = capabilities_from_json(R"({"is_usable":true,"vision":{"a":[1]},"chat":false})");
  REQUIRE(read);
  CHECK(read->is_usable);
  CHECK(read->chat == false);
  for (const char* text : {"", "[]", "{", R"({"chat":1})", R"({"context_length":-1})"}) {
    INFO(text);
    CHECK_FALSE(capabilities_from_json(text));
  }
}

TEST_CASE("a short probe keeps what a thorough one learned of the same model") {
  CapabilityRecord newer;
  newer.probed_at = "2026-11-26T10:00:00Z";
  newer.model = full().model;
  newer.chat = false;
  newer.problem = "unavailable";
  const CapabilityRecord now = merged(full(), newer);
  CHECK(now.probed_at == newer.probed_at);
  CHECK(now.thorough_at == full().thorough_at);
  CHECK(now.chat == false);
  CHECK(now.tools == true);
  CHECK(now.tool_calls == false);
  CHECK(now.context_length == 4096);
  CHECK_FALSE(now.is_usable);
  CHECK(now.proposed_dialect == "vllm");
}

TEST_CASE("nothing learned of one model is said of another") {
  CapabilityRecord newer;
  newer.model = "another";
  newer.stream = true;
  CHECK(merged(full(), newer) == newer);
}

TEST_CASE("every capability is found by its name, and an unknown name says nothing") {
  CHECK(capability_names().size() == 11);
  CapabilityRecord record = full();
  record.stream = record.usage_in_stream = record.completions = record.embeddings = false;
  record.json_schema = record.json_schema_kept = record.logprobs = false;
  for (const std::string_view name : capability_names()) CHECK(offers(record, name).has_value());
  CHECK(offers(record, "echo_logprobs") == true);
  CHECK(offers(record, "vision") == std::nullopt);
}

}  // namespace
}  // namespace byway::registry
