// Settings: every field, from text and JSON, and what is refused.
#include "catch.hpp"

#include "registry/fields.hpp"
#include "registry/settings.hpp"

#include <set>
#include <string>
#include <vector>

namespace byway::registry {
namespace {

EndpointSettings minimal() {
  EndpointSettings settings;
  settings.slug = "my-vllm";
  settings.base_url = "https://models.example/v1";
  return settings;
}

EndpointSettings full() {
  EndpointSettings settings = minimal();
  settings.name = "Our vLLM, \"big\"";
  settings.allow = {"meta-llama/Llama-4", "a,b"};
  settings.enabled = false;
  settings.dialect = "vllm";
  settings.tags = {"chat", "my own"};
  settings.region = "eu";
  settings.default_model = "meta-llama/Llama-4";
  settings.extra_body = R"({"top_k":1.50})";
  settings.headers = {{"X-Team", "a: b, c"}, {"X-Empty", ""}};
  settings.query = {{"api-version", "2024=10"}, {"b", ""}};
  settings.ca_file = "/etc/ca.pem";
  settings.client_cert = "/etc/c.pem";
  settings.client_key = "/etc/k.pem";
  settings.allow_insecure_http = true;
  settings.allow_addresses = {"10.0.0.0/8"};
  settings.proxy = "http://127.0.0.1:3128";
  using std::chrono::milliseconds;
  settings.timeouts = {milliseconds(1), milliseconds(0), milliseconds(3), milliseconds(4),
                       milliseconds(5)};
  settings.price_input = 200'000'000;
  settings.price_output = 0;
  settings.org = "acme";
  return settings;
}

std::string code_of(const Result<CheckedSettings>& result) {
  return result ? "ok" : std::string(result.error().name()) + " " + result.error().param();
}

TEST_CASE("settings go through JSON and come back the same", "[registry]") {
  for (const EndpointSettings& settings : {minimal(), full()}) {
    const std::string json = to_json(settings);
    INFO(json);
    const auto read = settings_from_json(json);
    REQUIRE(read);
    CHECK(*read == settings);
  }
  EndpointSettings limits = minimal();
  limits.in_flight = 1;
  limits.rpm = 2;
  limits.tpm = INT64_MAX;
  limits.allow.emplace();
  CHECK(settings_from_json(to_json(limits)).value() == limits);
  CHECK(to_json(minimal()) == R"({"slug":"my-vllm","base_url":"https://models.example/v1"})");
  CHECK(check_settings(full()));
}

TEST_CASE("the field list holds every field of decisions section 7, once", "[registry]") {
  std::string names;
  std::set<std::string_view> seen;
  for (const Field& field : all_fields()) {
    names += std::string(field.name) + " ";
    CHECK(seen.insert(field.name).second);
    CHECK(find_field(field.name) == &field);
  }
  CHECK(names ==
        "slug name base_url allow enabled dialect tags region default_model extra_body headers "
        "query ca_file client_cert client_key allow_insecure_http allow_addresses proxy "
        "timeouts.connect_ms timeouts.first_byte_ms timeouts.first_token_ms timeouts.stall_ms "
        "timeouts.total_ms in_flight rpm tpm price_input price_output org ");
  CHECK(find_field("key") == nullptr);
}

TEST_CASE("a dialect is a name or an object, which is kept as its text", "[registry]") {
  const auto read = settings_from_json(R"({"slug":"abc","dialect":{ "extends" : "vllm" }})");
  REQUIRE(read);
  CHECK(read->dialect == R"({"extends":"vllm"})");
  CHECK(settings_from_json(to_json(*read)).value() == *read);
  EndpointSettings settings = minimal();
  REQUIRE(set_field(settings, "dialect", R"({ "stream": {"finish": "optional"} })"));
  CHECK(settings.dialect == R"({"stream":{"finish":"optional"}})");
  const auto checked = check_settings(settings);
  REQUIRE(checked);
  CHECK_FALSE(checked->dialect->stream.needs_finish);
  CHECK_FALSE(set_field(settings, "dialect", "{"));
}

struct BadJson {
  const char* json;
  const char* param;
};

TEST_CASE("settings as JSON are read strictly", "[registry]") {
  for (const BadJson& row : std::vector<BadJson>{
           {"", "settings"},
           {"[]", "settings"},
           {R"({"slug":"a)", "settings"},
           {R"({"slug":"abc","slug":"abd"})", "slug"},
           {R"({"slug":"abc","\u0073lug":"abd"})", "slug"},
           {R"({"slugs":"abc"})", "slugs"},
           {R"({"key":"sk-123"})", "key"},
           {R"({"slug":1})", "slug"},
           {R"({"slug":null})", "slug"},
           {R"({"name":{"a":1}})", "name"},
           {R"({"dialect":["vllm"]})", "dialect"},
           {R"({"enabled":"true"})", "enabled"},
           {R"({"allow":"a"})", "allow"},
           {R"({"allow":["a",1]})", "allow"},
           {R"({"tags":null})", "tags"},
           {R"({"rpm":1.5})", "rpm"},
           {R"({"rpm":"1"})", "rpm"},
           {R"({"rpm":18446744073709551616})", "settings"},
           {R"({"rpm":9223372036854775808})", "rpm"},
           {R"({"timeouts":{"total_ms":1}})", "timeouts"},
           {R"({"headers":["x"]})", "headers"},
           {R"({"headers":[": y"]})", "headers"},
           {R"({"query":["x"]})", "query"},
       }) {
    INFO(row.json);
    const auto read = settings_from_json(row.json);
    REQUIRE_FALSE(read);
    CHECK(read.error().code() == ErrorCode::registry_field_invalid);
    CHECK(read.error().param() == row.param);
  }
}

TEST_CASE("fields are set from text", "[registry]") {
  EndpointSettings settings = minimal();
  const auto set = [&](std::string_view name, std::string_view text) {
    const auto done = set_field(settings, name, text);
    return done ? std::string() : std::string(done.error().name());
  };
  CHECK(set("name", " A name ").empty());
  CHECK(settings.name == " A name ");
  CHECK(set("enabled", "false").empty());
  CHECK_FALSE(settings.enabled);
  CHECK(set("allow", "a, b ,c").empty());
  CHECK(settings.allow == std::vector<std::string>{"a", "b", "c"});
  CHECK(set("allow", R"(["a,b"])").empty());
  CHECK(settings.allow == std::vector<std::string>{"a,b"});
  CHECK(set("allow", "[]").empty());
  CHECK(settings.allow == std::vector<std::string>{});
  CHECK(set("allow", "null").empty());
  CHECK_FALSE(settings.allow);
  CHECK(set("tags", "").empty());
  CHECK(settings.tags.empty());
  CHECK(set("headers", "X-A: b, c").empty());
  CHECK(settings.headers == std::vector<NameValue>{{"X-A", "b, c"}});
  CHECK(set("headers", R"(["X-A: 1","X-B:2"])").empty());
  CHECK(settings.headers == std::vector<NameValue>{{"X-A", "1"}, {"X-B", "2"}});
  CHECK(set("query", "a=b=c").empty());
  CHECK(settings.query == std::vector<NameValue>{{"a", "b=c"}});
  CHECK(set("timeouts.stall_ms", "250").empty());
  CHECK(settings.timeouts.stall == std::chrono::milliseconds(250));
  CHECK(set("timeouts.stall_ms", "null").empty());
  CHECK_FALSE(settings.timeouts.stall);
  for (const auto& [name, text] :
       std::vector<std::pair<std::string, std::string>>{{"enabled", "yes"},
                                                        {"enabled", ""},
                                                        {"price_input", "1.5"},
                                                        {"price_input", ""},
                                                        {"price_input", "18446744073709551616"},
                                                        {"allow", ""},
                                                        {"allow", "[1]"},
                                                        {"allow", "[\"a\""},
                                                        {"headers", "nothing"},
                                                        {"key", "sk-1"},
                                                        {"", ""},
                                                        {"timeouts", "1"}}) {
    INFO(name << "=" << text);
    CHECK(set(name, text) == "registry_field_invalid");
  }
}

struct Bad {
  const char* field;
  std::string value;
  const char* code;
};

TEST_CASE("each field's meaning is checked, and the error names the field", "[registry]") {
  const std::string emoji = "caf\xf0\x9f\x98\x80";
  for (const Bad& row : std::vector<Bad>{
           // B21
           {"slug", "../etc", "registry_slug_invalid"},
           {"slug", "a/b", "registry_slug_invalid"},
           {"slug", "My-vllm", "registry_slug_invalid"},
           {"slug", emoji, "registry_slug_invalid"},
           {"slug", std::string(300, 'a'), "registry_slug_invalid"},
           {"slug", "", "registry_slug_invalid"},
           {"slug", "ab", "registry_slug_invalid"},
           {"slug", "1ab", "registry_slug_invalid"},
           {"slug", "ab-", "registry_slug_invalid"},
           // B34, B35
           {"headers", R"(["X A: b"])", "request_header_invalid"},
           {"headers", "[\"X-A: b\\r\\nX-B: c\"]", "request_header_invalid"},
           {"headers", "[\"X-A: b\\u0000\"]", "request_header_invalid"},
           {"headers", "Host: evil", "request_header_reserved"},
           {"headers", "content-length: 1", "request_header_reserved"},
           {"headers", "Authorization: Bearer x", "request_header_reserved"},
           {"headers", "Transfer-Encoding: chunked", "request_header_reserved"},
           {"headers", "X-Byway-Org: a", "registry_field_invalid"},
           {"name", "a\nb", "registry_field_invalid"},
           {"name", "a\x7f", "registry_field_invalid"},
           {"name", "\xff", "registry_field_invalid"},
           {"name", std::string(4097, 'a'), "registry_field_invalid"},
           {"tags", R"(["a\nb"])", "registry_field_invalid"},
           {"allow", R"(["a",""])", "registry_field_invalid"},
           {"dialect", "nope", "registry_field_invalid"},
           {"dialect", "", "registry_field_invalid"},
           {"dialect", R"({"extends":"nope"})", "registry_field_invalid"},
           {"dialect", R"({"colour":"red"})", "registry_field_invalid"},
           {"dialect", R"({"stream":{"finish":1}})", "registry_field_invalid"},
           {"dialect", R"({"stream":{},"stream":{}})", "registry_field_invalid"},
           {"dialect", R"({"name":")" + std::string(70'000, 'a') + "\"}", "registry_field_invalid"},
           {"extra_body", "[]", "registry_field_invalid"},
           {"extra_body", R"({"model":"x"})", "registry_field_invalid"},
           {"extra_body", R"({"a":1,"a":2})", "registry_field_invalid"},
           {"query", "[\"a\\nb=c\"]", "registry_field_invalid"},
           {"allow_addresses", "10.0.0.1/8", "registry_field_invalid"},
           {"timeouts.total_ms", "-1", "registry_field_invalid"},
           {"timeouts.connect_ms", "9223372036854775807", "registry_field_invalid"},
           {"price_input", "-1", "registry_field_invalid"},
           {"in_flight", "-1", "registry_field_invalid"},
           {"in_flight", "1000001", "registry_field_invalid"},
           {"rpm", "-60", "registry_field_invalid"},
           {"tpm", "4000000001", "registry_field_invalid"},
           {"org", "", "registry_field_invalid"},
           {"org", "A", "registry_field_invalid"},
           {"org", "a/b", "registry_field_invalid"},
           {"base_url", "ftp://x", "registry_url_invalid"},
           {"base_url", "http://host", "registry_url_insecure"},
           {"base_url", "https://10.0.0.1", "net_ssrf_blocked"},
           {"proxy", "https://127.0.0.1:1", "registry_field_invalid"},
           {"proxy", "http://127.0.0.1", "registry_field_invalid"},
           {"proxy", "http://127.0.0.1:1/x", "registry_field_invalid"},
           {"proxy", "http://u:p@127.0.0.1:1", "registry_url_invalid"},
           {"proxy", "socks5://127.0.0.1:1", "registry_url_invalid"},
           {"proxy", "http://10.0.0.1:3128", "net_ssrf_blocked"},
           {"proxy", "http://169.254.169.254:80", "net_ssrf_blocked"},
       }) {
    INFO(row.field << "=" << row.value.substr(0, 60));
    EndpointSettings settings = minimal();
    REQUIRE(set_field(settings, row.field, row.value));
    CHECK(code_of(check_settings(settings)) == std::string(row.code) + " " + row.field);
  }
}

TEST_CASE("client certificate and key come together", "[registry]") {
  EndpointSettings settings = minimal();
  settings.client_cert = "/c.pem";
  CHECK(code_of(check_settings(settings)) == "registry_field_invalid client_key");
  settings.client_cert.clear();
  settings.client_key = "/k.pem";
  CHECK(code_of(check_settings(settings)) == "registry_field_invalid client_cert");
}

TEST_CASE("an error never holds a header's value", "[registry]") {
  EndpointSettings settings = minimal();
  settings.headers = {{"X-A", "canary\n"}};
  const auto checked = check_settings(settings);
  REQUIRE_FALSE(checked);
  CHECK(checked.error().message().find("canary") == std::string::npos);
}

TEST_CASE("a star inside a name is a letter, and that is said", "[registry]") {
  EndpointSettings settings = minimal();
  settings.allow = {"gpt-4*", "*"};
  const auto checked = check_settings(settings);
  REQUIRE(checked);
  REQUIRE(checked->warnings.size() == 1);
  CHECK(checked->warnings[0].find("gpt-4*") != std::string::npos);
}

}  // namespace
}  // namespace byway::registry
