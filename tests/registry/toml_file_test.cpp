// Registry files: what is read, what is refused and where, and that writing reads back.
#include "catch.hpp"

#include "registry/base64.hpp"
#include "registry/fields.hpp"
#include "registry/settings.hpp"
#include "registry/toml_file.hpp"

#include <string>
#include <vector>

namespace byway::registry {
namespace {

std::string endpoint(const std::string& more) {
  return "[[endpoint]]\nslug = \"one\"\nbase_url = \"https://models.example/v1\"\n" + more;
}

TEST_CASE("a registry file is read whole", "[registry]") {
  const auto read = parse_registry(R"(# our endpoints
[org]
name = "acme"

[[endpoint]]
slug = "my-vllm"
base_url = "https://models.example/v1/chat/completions"
key = "env:VLLM_KEY"
allow = ["a", "b"]
headers = { "X-Team" = "a" }
query = ["v=1", "v=2"]
timeouts.connect_ms = 5_000
timeouts.stall_ms = 0
extra_body = '{"top_k": 1.50}'

[endpoint.timeouts]
)",
                                   "byway.toml");
  // `timeouts` was made by dotted names above and may not be opened again: TOML's own rule.
  REQUIRE_FALSE(read);
  CHECK(read.error().message().starts_with("byway.toml:16: "));

  const auto good = parse_registry(R"([org]
name = "acme"
[[endpoint]]
slug = "my-vllm"
base_url = "https://models.example/v1/chat/completions"
key = "env:VLLM_KEY"
allow = ["a", "b"]
headers = { "X-Team" = "a" }
query = ["v=1", "v=2"]
extra_body = '{"top_k": 1.50}'
[endpoint.timeouts]
connect_ms = 5_000
stall_ms = 0
[[endpoint]]
slug = "open"
base_url = "http://127.0.0.1:8000/v1"
org = "local"
allow = []
key = "file:/run/key"
)",
                                   "byway.toml");
  REQUIRE(good);
  REQUIRE(good->endpoints.size() == 2);
  const FileEndpoint& first = good->endpoints.front();
  CHECK(first.settings.org == "acme");
  CHECK(first.settings.base_url == "https://models.example/v1");
  CHECK(first.warnings.size() == 1);
  CHECK(first.settings.headers == std::vector<NameValue>{{"X-Team", "a"}});
  CHECK(first.settings.query == std::vector<NameValue>{{"v", "1"}, {"v", "2"}});
  CHECK(first.settings.timeouts.connect == std::chrono::milliseconds(5000));
  CHECK(first.settings.timeouts.stall == std::chrono::milliseconds(0));
  CHECK(first.settings.extra_body == R"({"top_k": 1.50})");
  CHECK(first.key.origin == KeyOrigin::environment);
  CHECK(first.key.text == "VLLM_KEY");
  CHECK(first.line == 3);
  CHECK(first.key_line == 6);
  CHECK(good->endpoints[1].settings.org == "local");
  CHECK(good->endpoints[1].settings.allow == std::vector<std::string>{});
  CHECK(good->endpoints[1].key.origin == KeyOrigin::file);
  CHECK(parse_registry("", "x").value().endpoints.empty());
}

TEST_CASE("a table changes keys of a dialect", "[registry]") {
  for (const char* line : {"dialect = {extends = \"vllm\", stream = {finish = \"optional\"}}\n",
                           "[endpoint.dialect]\nextends = \"vllm\"\nstream.finish = \"optional\"\n",
                           R"(dialect = '{"extends":"vllm","stream":{"finish":"optional"}}')"}) {
    INFO(line);
    const auto read = parse_registry(endpoint(line), "x");
    REQUIRE(read);
    const auto checked = check_settings(read->endpoints[0].settings);
    REQUIRE(checked);
    CHECK(checked->dialect->name == "vllm (changed)");
    CHECK_FALSE(checked->dialect->stream.needs_finish);
    const auto again = parse_registry(write_registry(*read), "x");
    REQUIRE(again);
    CHECK(again->endpoints[0].settings == read->endpoints[0].settings);
  }
}

struct Bad {
  std::string toml;
  int line;
  const char* field;
  const char* reason;
};

TEST_CASE("a wrong registry file is refused, with line and field", "[registry]") {
  const std::string invalid = "registry_field_invalid";
  // B60 and its neighbours.
  for (const Bad& row : std::vector<Bad>{
           {endpoint("slug = \"two\"\n"), 4, "", ""},
           {endpoint("colour = \"red\"\n"), 4, "colour", ""},
           {endpoint("enabled = \"yes\"\n"), 4, "enabled", "registry_field_invalid"},
           {endpoint("enabled = 1\n"), 4, "enabled", "registry_field_invalid"},
           {endpoint("allow = \"a\"\n"), 4, "allow", "registry_field_invalid"},
           {endpoint("allow = [1]\n"), 4, "allow", ""},
           {endpoint("name = 1.5\n"), 4, "name", ""},
           {endpoint("name = 1979-05-27\n"), 4, "name", ""},
           {endpoint("rpm = -1\n"), 4, "rpm", "registry_field_invalid"},
           {endpoint("rpm = nan\n"), 4, "rpm", ""},
           {endpoint("tpm = inf\n"), 4, "tpm", ""},
           {endpoint("in_flight = 1.5\n"), 4, "in_flight", ""},
           {endpoint("price_input = -1\n"), 4, "price_input", "registry_field_invalid"},
           {endpoint("rpm = 1\nrpm = 2\n"), 5, "", ""},
           {endpoint("rpm = 18446744073709551616\n"), 4, "", ""},
           {endpoint("timeouts.total_ms = -1\n"), 4, "timeouts.total_ms", "registry_field_invalid"},
           {endpoint("timeouts.total = 1\n"), 4, "timeouts.total", ""},
           {endpoint("timeouts = 5\n"), 4, "timeouts", ""},
           {endpoint("[endpoint.headers]\nHost = \"x\"\n"), 4, "headers",
            "request_header_reserved"},
           {endpoint("dialect = \"nope\"\n"), 4, "dialect", "registry_field_invalid"},
           {endpoint("dialect = {colour = \"red\"}\n"), 4, "dialect", "registry_field_invalid"},
           {endpoint("dialect.stream.finish = 1\n"), 4, "dialect", "registry_field_invalid"},
           {endpoint("dialect = [\"vllm\"]\n"), 4, "dialect", "registry_field_invalid"},
           {endpoint("name = {a = 1}\n"), 4, "name", ""},
           {endpoint("proxy = \"http://10.0.0.1:1\"\n"), 4, "proxy", "net_ssrf_blocked"},
           {endpoint("key = \"sk-canary\"\n"), 4, "key", ""},
           {endpoint("key = \"env:\"\n"), 4, "key", ""},
           {endpoint("key = 5\n"), 4, "key", ""},
           {endpoint("key = \"sealed:canary!\"\n"), 4, "key", ""},
           {endpoint("key = \"sealed:AAAA\"\n"), 1, "key", ""},
           {endpoint("key = \"sealed:AAAA\"\nkey_record_id = \"r\"\nkey_generation = 0\n"), 6,
            "key_generation", ""},
           {endpoint("key = \"env:A\"\nkey_generation = 1\n"), 1, "key", ""},
           {endpoint("key = sk-canary\n"), 4, "", ""},
           {endpoint("key = true-canary\n"), 4, "", ""},
           {endpoint("key = 'sk-canary\n"), 4, "", ""},
           {"[[endpoint]]\nbase_url = \"https://a\"\n", 1, "slug", ""},
           {"[[endpoint]]\nslug = \"abc\"\n", 1, "base_url", ""},
           {"[[endpoint]]\nslug = \"AB\"\nbase_url = \"https://a\"\n", 2, "slug",
            "registry_slug_invalid"},
           {"[[endpoint]]\nslug = \"abc\"\nbase_url = \"https://10.0.0.1\"\n", 3, "base_url",
            "net_ssrf_blocked"},
           {"[[endpoint]]\nslug = \"abc\"\nbase_url = \"http://a\"\n", 3, "base_url",
            "registry_url_insecure"},
           {endpoint("") + endpoint(""), 4, "slug", "registry_duplicate_slug"},
           {"[endpoint]\nslug = \"one\"\n", 1, "endpoint", ""},
           {"endpoint = [1]\n", 1, "endpoint", ""},
           {"[endpoints]\n", 1, "endpoints", ""},
           {"time_zone = \"Europe/Berlin\"\n", 1, "time_zone", ""},
           {"[org]\nname = \"A B\"\n", 2, "org.name", ""},
           {"[org]\nzone = \"UTC\"\n", 2, "org.zone", ""},
           {"org = 1\n", 1, "org", ""},
           {"x = \n", 1, "", ""},
           {"a = \"\xff\"\n", 1, "", ""},
       }) {
    INFO(row.toml);
    const auto read = parse_registry(row.toml, "byway.toml");
    REQUIRE_FALSE(read);
    const Error& error = read.error();
    INFO(error.message());
    CHECK(error.code() == ErrorCode::registry_invalid_file);
    CHECK(error.message().starts_with("byway.toml:" + std::to_string(row.line) + ": "));
    CHECK(error.param() == row.field);
    CHECK(error.reason() == row.reason);
    CHECK(error.message().find("canary") == std::string::npos);
    CHECK(error.message().find(row.field) != std::string::npos);
  }
}

TEST_CASE("an alias in a file that cannot be kept is told by its line", "[registry]") {
  struct Row {
    const char* lines;
    const char* field;
  };
  for (const Row& row : {
           Row{"name = \"A\"\nmodels = [\"byo:one/m\"]\n", "name"},
           {"models = [\"byo:one/m\"]\n", "name"},
           {"name = \"a\"\n", "models"},
           {"name = \"a\"\nmodels = []\n", "models"},
           {"name = \"a\"\nmodels = \"byo:one/m\"\n", "models"},
           {"name = \"a\"\nmodels = [\"b\"]\n", "models"},
           {"name = \"a\"\nmodels = [\"byo:one/m=nan\"]\n", "models"},
           {"name = \"a\"\nmodels = [\"byo:one/m=-1\"]\n", "models"},
           {"name = \"a\"\nmodels = [\"byo:one/m\"]\nrequire = [1]\n", "require"},
           {"name = \"a\"\nmodels = [\"byo:one/m\"]\ncolour = 1\n", "colour"},
           {"name = 1\n", "name"},
       }) {
    INFO(row.lines);
    const auto read = parse_registry("[[alias]]\n" + std::string(row.lines), "byway.toml");
    REQUIRE_FALSE(read);
    CHECK(read.error().code() == ErrorCode::registry_invalid_file);
    CHECK(read.error().param() == row.field);
    CHECK(read.error().message().starts_with("byway.toml:"));
  }
  const std::string one = "[[alias]]\nname = \"a\"\nmodels = [\"byo:one/m\"]\n";
  CHECK(parse_registry(one, "x"));
  CHECK_FALSE(parse_registry(one + one, "x"));
  CHECK_FALSE(parse_registry("alias = 1", "x"));
}

TEST_CASE("a cap in a file needs a store", "[registry]") {
  const auto read = parse_registry("[org]\ncap_day = 100\n", "byway.toml");
  REQUIRE_FALSE(read);
  CHECK(read.error().code() == ErrorCode::registry_needs_store);
}

TEST_CASE("what is written reads back the same", "[registry]") {
  FileEndpoint one;
  one.settings.slug = "one";
  one.settings.base_url = "https://models.example/v1";
  one.settings.name = "quotes \" ' and \\ and \xe2\x82\xac";
  one.settings.extra_body = "{\"a\":\"\\u0001\x7f\",\n\"b\":1.50}";
  one.settings.headers = {{"X-B", "2"}, {"X-A", "1"}};
  one.settings.query = {{"v", "1"}, {"v", "2"}};
  one.settings.allow.emplace();
  one.settings.timeouts.total = std::chrono::milliseconds(0);
  one.settings.price_output = 5;
  one.key = {KeyOrigin::sealed, std::string("\0\x01\xff sealed", 10), "01REC", 7};
  FileEndpoint two;
  two.settings.slug = "two";
  two.settings.base_url = "http://127.0.0.1:1";
  two.settings.org = "acme";
  two.settings.enabled = false;
  two.key = {KeyOrigin::environment, "NAME", "", 0};
  const Alias fast{.name = "fast",
                   .models = {{"byo:one/a=b", 3}, {"byo:two/m", 1}},
                   .require = {"chat"},
                   .org = "acme"};
  const Alias plain{.name = "plain", .models = {{"byo:one/m", {}}}, .require = {}};
  const std::string text = write_registry({.endpoints = {one, two}, .aliases = {fast, plain}});
  INFO(text);
  const auto read = parse_registry(text, "x");
  if (!read) FAIL(read.error().message());
  REQUIRE(read->endpoints.size() == 2);
  CHECK(read->endpoints[0].settings == one.settings);
  CHECK(read->endpoints[0].key == one.key);
  CHECK(read->endpoints[1].settings == two.settings);
  CHECK(read->endpoints[1].key == two.key);
  CHECK(read->aliases == std::vector<Alias>{fast, plain});
  CHECK(write_registry(*read) == text);
}

TEST_CASE("base64 has one spelling", "[registry]") {
  for (const char* text : {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"}) {
    const auto bytes = bytes_of_base64(text);
    REQUIRE(bytes);
    CHECK(base64_of(*bytes) == text);
  }
  CHECK(bytes_of_base64("Zm9vYmFy") == "foobar");
  for (const char* text :
       {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm 9v", "Zm9v=", "====", "Zg==Zg==", "Zm9v\n", "Zm-_"}) {
    INFO(text);
    CHECK_FALSE(bytes_of_base64(text));
  }
}

}  // namespace
}  // namespace byway::registry
