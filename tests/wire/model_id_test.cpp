#include <string>

#include "catch.hpp"
#include "wire/model_id.hpp"

using namespace byway;

TEST_CASE("a model id is split at the first slash and the rest is opaque") {
  struct Row {
    std::string text, slug, upstream;
  };
  const Row rows[] = {
      {"byo:my-vllm/meta-llama/Llama-4-Maverick", "my-vllm", "meta-llama/Llama-4-Maverick"},
      {"byo:abc/m", "abc", "m"},
      {"byo:bedrock/us.vendor.model-v1:0", "bedrock", "us.vendor.model-v1:0"},
      {"byo:abc//", "abc", "/"},
      {"byo:abc/ Name With \xC3\xA9 ", "abc", " Name With \xC3\xA9 "},
      {"byo:a2345678901234567890123456789012345678-9/x", "a2345678901234567890123456789012345678-9",
       "x"},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    const auto id = wire::parse_model_id(row.text);
    REQUIRE(id);
    CHECK(id->slug == row.slug);
    CHECK(id->upstream == row.upstream);
  }
}

TEST_CASE("a model id of another form is refused with request_invalid_model") {
  for (const std::string text :
       {"", "byo:", "byo:ab/m", "byo:abc", "byo:abc/", "gpt-4o", "BYO:abc/m", "byo:Abc/m",
        "byo:1bc/m", "byo:abc-/m", "byo:a_c/m", "byo:-bc/m",
        "byo:a2345678901234567890123456789012345678901/x", "byo:/m", " byo:abc/m"}) {
    INFO(text);
    const auto id = wire::parse_model_id(text);
    REQUIRE_FALSE(id);
    CHECK(id.error().code() == ErrorCode::request_invalid_model);
    CHECK(id.error().param() == "model");
  }
}

TEST_CASE("an endpoint id needs no model") {
  CHECK(wire::parse_endpoint_id("byo:abc").value().slug == "abc");
  CHECK(wire::parse_endpoint_id("byo:abc/m").value().upstream == "m");
  CHECK_FALSE(wire::parse_endpoint_id("byo:a"));
}
