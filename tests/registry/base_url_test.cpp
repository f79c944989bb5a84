// Base URLs: rows B23 to B32 of the bad-input matrix, and the web platform's own rows.
#include "catch.hpp"

#include "registry/base_url.hpp"

#include <simdjson.h>

#include <filesystem>
#include <string>
#include <vector>

namespace byway::registry {
namespace {

std::string code_of(std::string_view url, const UrlRules& rules = {}) {
  const auto parsed = parse_base_url(url, rules);
  return parsed ? "ok" : std::string(parsed.error().name());
}

struct Bad {
  std::string url;
  const char* code;
};

TEST_CASE("bad base URLs are refused, each with its code", "[registry]") {
  const std::string long_label(64, 'a');
  std::string long_host;
  while (long_host.size() < 250) long_host += "aaaaaaaaa.";
  long_host += "com" + std::string(254 - long_host.size() - 3, 'm');
  const std::vector<Bad> rows = {
      // B23
      {"ftp://host/", "registry_url_invalid"},
      {"file:///etc/passwd", "registry_url_invalid"},
      {"gopher://host/", "registry_url_invalid"},
      {"javascript:alert(1)", "registry_url_invalid"},
      {"host.example/v1", "registry_url_invalid"},
      {"//host.example/v1", "registry_url_invalid"},
      {"", "registry_url_invalid"},
      {"https:host.example", "registry_url_invalid"},
      {"https:/host.example", "registry_url_invalid"},
      {"https://", "registry_url_invalid"},
      {"https:///v1", "registry_url_invalid"},
      {"https://?q", "registry_url_invalid"},
      // B24
      {"http://host.example/v1", "registry_url_insecure"},
      {"http://8.8.8.8/", "registry_url_insecure"},
      {"http://localhost.example/", "registry_url_insecure"},
      {"http://notlocalhost/", "registry_url_insecure"},
      // B25
      {"https://user:pw@host/", "registry_url_invalid"},
      {"https://user@host/", "registry_url_invalid"},
      {"https://@host/", "registry_url_invalid"},
      {"https://:@host/", "registry_url_invalid"},
      // B26: the canonical spelling is allowed (decisions section 7), odd ones are not.
      {"https://127.1", "net_ssrf_blocked"},
      {"https://2130706433", "net_ssrf_blocked"},
      {"https://0x7f.1", "net_ssrf_blocked"},
      {"https://0X7F.1", "net_ssrf_blocked"},
      {"https://0177.0.0.1", "net_ssrf_blocked"},
      {"https://0", "net_ssrf_blocked"},
      {"https://0.0.0.0", "net_ssrf_blocked"},
      {"https://00.00.00.00", "net_ssrf_blocked"},
      {"https://0x.0x.0", "net_ssrf_blocked"},
      {"https://10.0.0.1", "net_ssrf_blocked"},
      {"https://192.168.1.1:8080/v1", "net_ssrf_blocked"},
      {"https://3232235521", "net_ssrf_blocked"},
      {"https://134744072", "registry_url_invalid"},
      {"https://08.8.8.8", "registry_url_invalid"},
      {"https://256.0.0.1", "registry_url_invalid"},
      {"https://1.2.3.4.5", "registry_url_invalid"},
      {"https://4294967296", "registry_url_invalid"},
      {"https://99999999999999999999999", "registry_url_invalid"},
      {"https://foo.0x4", "registry_url_invalid"},
      {"https://foo.4", "registry_url_invalid"},
      // B27
      {"https://[::]", "net_ssrf_blocked"},
      {"https://[::ffff:10.0.0.1]", "net_ssrf_blocked"},
      {"https://[::ffff:127.0.0.1]", "net_ssrf_blocked"},
      {"https://[fe80::1%25eth0]", "net_ssrf_blocked"},
      {"https://[fe80::1]", "net_ssrf_blocked"},
      {"https://[fc00::1]", "net_ssrf_blocked"},
      {"https://[2606:4700::1111%25eth0]", "registry_url_invalid"},
      {"https://[::1", "registry_url_invalid"},
      {"https://[::1]x", "registry_url_invalid"},
      {"https://[127.0.0.1]", "registry_url_invalid"},
      {"https://[host.example]", "registry_url_invalid"},
      {"https://::1", "registry_url_invalid"},
      {"https://[]", "registry_url_invalid"},
      // B28
      {"https://[64:ff9b::a00:1]", "net_ssrf_blocked"},
      {"https://[64:ff9b:1::a00:1]", "net_ssrf_blocked"},
      {"https://[2002:a00:1::1]", "net_ssrf_blocked"},
      {"https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]", "net_ssrf_blocked"},
      // B29
      {"https://169.254.169.254/latest", "net_ssrf_blocked"},
      {"http://169.254.169.254/latest", "net_ssrf_blocked"},
      {"https://metadata.google.internal/", "net_ssrf_blocked"},
      {"https://METADATA.google.internal/", "net_ssrf_blocked"},
      {"https://100.100.100.200", "net_ssrf_blocked"},
      {"https://192.0.0.192", "net_ssrf_blocked"},
      {"https://[fd00:ec2::254]", "net_ssrf_blocked"},
      {"https://2852039166", "net_ssrf_blocked"},
      // B31
      {"https://a\\@b/", "registry_url_invalid"},
      {"https://a#@b/", "registry_url_invalid"},
      {"https://host/v1#part", "registry_url_invalid"},
      {"https://a%2fb/", "registry_url_invalid"},
      {"https://a..b/", "registry_url_invalid"},
      {"https://.a/", "registry_url_invalid"},
      {"https://a./", "registry_url_invalid"},
      {"https://127.0.0.1./", "registry_url_invalid"},
      {"https://a\xef\xbc\x8e"
       "b/",
       "registry_url_invalid"},
      {"https://\xef\xbc\x91\xef\xbc\x92/", "registry_url_invalid"},
      {"https://m\xc3\xbcller.example/", "registry_url_invalid"},
      {"https://a b/", "registry_url_invalid"},
      {" https://host/", "registry_url_invalid"},
      {"https://host/\n", "registry_url_invalid"},
      {"https://host/\tv1", "registry_url_invalid"},
      {std::string("https://host/\0v1", 16), "registry_url_invalid"},
      {"https://ho!st/", "registry_url_invalid"},
      {"https://-host/", "registry_url_invalid"},
      {"https://host-/", "registry_url_invalid"},
      {"https://host/\"v1", "registry_url_invalid"},
      {"https://host/<v1>", "registry_url_invalid"},
      {"https://host/{v1}", "registry_url_invalid"},
      {"https://host/%2", "registry_url_invalid"},
      {"https://host/%zz", "registry_url_invalid"},
      {"https://host/a/%2e%2E/b", "registry_url_invalid"},
      {"https://host/a/.%2e", "registry_url_invalid"},
      // B32
      {"https://host:0/", "registry_url_invalid"},
      {"https://host:65536/", "registry_url_invalid"},
      {"https://host:080/", "registry_url_invalid"},
      {"https://host:text/", "registry_url_invalid"},
      {"https://host:/", "registry_url_invalid"},
      {"https://host:-80/", "registry_url_invalid"},
      {"https://host:+80/", "registry_url_invalid"},
      {"https://host:8 0/", "registry_url_invalid"},
      {"https://host:443:443/", "registry_url_invalid"},
      {"https://" + long_host + "/", "registry_url_invalid"},
      {"https://" + long_label + ".example/", "registry_url_invalid"},
      {"https://host/" + std::string(5000, 'a'), "registry_url_invalid"},
  };
  REQUIRE(long_host.size() == 254);
  for (const Bad& row : rows) {
    INFO(row.url.substr(0, 80));
    CHECK(code_of(row.url) == row.code);
  }
}

TEST_CASE("metadata services are refused even where private ranges are allowed", "[registry]") {
  const std::vector<Cidr> all = {parse_cidr("0.0.0.0/0").value(), parse_cidr("::/0").value()};
  const UrlRules rules{.allow_insecure_http = true, .allow_addresses = all};
  for (const char* url :
       {"http://169.254.169.254/", "https://100.100.100.200/", "https://192.0.0.192/",
        "https://[fd00:ec2::254]/", "https://metadata.google.internal/", "https://0.0.0.0/",
        "https://127.1/", "https://[::ffff:169.254.169.254]/"}) {
    INFO(url);
    CHECK(code_of(url, rules) == "net_ssrf_blocked");
  }
  CHECK(code_of("http://10.0.0.1:8000/v1", rules) == "ok");
  CHECK(code_of("https://[fc00::1]/v1", rules) == "ok");
}

TEST_CASE("a private literal over http needs both permissions", "[registry]") {
  const std::vector<Cidr> ten = {parse_cidr("10.0.0.0/8").value()};
  CHECK(code_of("http://10.0.0.1/") == "net_ssrf_blocked");
  CHECK(code_of("http://10.0.0.1/", {.allow_insecure_http = true}) == "net_ssrf_blocked");
  CHECK(code_of("http://10.0.0.1/", {.allow_addresses = ten}) == "registry_url_insecure");
  CHECK(code_of("https://10.0.0.1/", {.allow_addresses = ten}) == "ok");
}

struct Good {
  const char* url;
  const char* text;
  const char* origin;
};

TEST_CASE("good base URLs keep their text and get a canonical origin", "[registry]") {
  for (const Good& row : std::vector<Good>{
           {"https://api.openai.com/v1", "https://api.openai.com/v1", "https://api.openai.com:443"},
           {"https://api.openai.com/v1/", "https://api.openai.com/v1",
            "https://api.openai.com:443"},
           {"https://Host.Example:8443//a///", "https://Host.Example:8443//a",
            "https://host.example:8443"},
           {"HTTPS://host", "https://host", "https://host:443"},
           {"https://host/", "https://host", "https://host:443"},
           {"https://host?", "https://host", "https://host:443"},
           {"https://host/v1/?api-version=1&x=%20", "https://host/v1?api-version=1&x=%20",
            "https://host:443"},
           {"http://localhost:11434/v1", "http://localhost:11434/v1", "http://localhost:11434"},
           {"http://api.localhost/v1", "http://api.localhost/v1", "http://api.localhost:80"},
           {"http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1", "http://127.0.0.1:8000"},
           {"http://127.9.9.9", "http://127.9.9.9", "http://127.9.9.9:80"},
           {"http://[::1]:8000/v1", "http://[::1]:8000/v1", "http://[::1]:8000"},
           {"https://[0:0:0:0:0:0:0:1]/", "https://[0:0:0:0:0:0:0:1]", "https://[::1]:443"},
           {"https://[2606:4700:4700:0::1111]/", "https://[2606:4700:4700:0::1111]",
            "https://[2606:4700:4700::1111]:443"},
           {"http://mac.local:1234/v1", "http://mac.local:1234/v1", "http://mac.local:1234"},
           {"https://8.8.8.8/", "https://8.8.8.8", "https://8.8.8.8:443"},
           {"https://my_service:8000", "https://my_service:8000", "https://my_service:8000"},
           {"https://xn--mller-kva.example", "https://xn--mller-kva.example",
            "https://xn--mller-kva.example:443"},
           {"https://host/a/../b/./c", "https://host/a/../b/./c", "https://host:443"},
           {"https://res.openai.azure.com/openai/deployments/dep?api-version=2024-10-21",
            "https://res.openai.azure.com/openai/deployments/dep?api-version=2024-10-21",
            "https://res.openai.azure.com:443"}}) {
    INFO(row.url);
    const auto parsed = parse_base_url(row.url);
    REQUIRE(parsed);
    CHECK(parsed->text == row.text);
    CHECK(parsed->origin == row.origin);
    CHECK(parsed->warnings.empty());
  }
}

TEST_CASE("a pasted operation path is cut off, with a warning", "[registry]") {
  const auto parsed = parse_base_url("https://host/v1/chat/completions");
  REQUIRE(parsed);
  CHECK(parsed->text == "https://host/v1");
  REQUIRE(parsed->warnings.size() == 1);
  CHECK(parsed->warnings[0].find("chat/completions") != std::string::npos);
  const auto with_query = parse_base_url("https://host/v1/embeddings/?a=b");
  REQUIRE(with_query);
  CHECK(with_query->text == "https://host/v1?a=b");
}

TEST_CASE("an error about a URL never quotes path, query or password", "[registry]") {
  for (const char* url : {"https://user:canary@host/", "http://host.example/canary?canary",
                          "https://10.0.0.1/canary", "https://host/canary%zz", "ftp://canary/"}) {
    const auto parsed = parse_base_url(url);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().message().find("canary") == std::string::npos);
    CHECK(parsed.error().message().starts_with("base_url: "));
  }
}

TEST_CASE("what is accepted the URL standard accepts with the same host and port", "[registry]") {
  const std::filesystem::path path =
      std::filesystem::path(BYWAY_SHARED_DIR) / "data" / "url_rows.json";
  if (!std::filesystem::exists(path)) {
    WARN("skipped: " << path << " is not there");
    return;
  }
  const std::vector<Cidr> all = {parse_cidr("0.0.0.0/0").value(), parse_cidr("::/0").value()};
  const UrlRules rules{.allow_insecure_http = true, .allow_addresses = all};
  simdjson::dom::parser parser;
  int rows = 0;
  int accepted = 0;
  for (const simdjson::dom::element row : parser.load(path.string())) {
    ++rows;
    const std::string input(row["input"].get_string().value());
    const auto parsed = parse_base_url(input, rules);
    if (!parsed) continue;
    ++accepted;
    INFO(input);
    REQUIRE_FALSE(row["failure"].get_bool().value());
    std::string host(row["hostname"].get_string().value());
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    CHECK(parsed->host == host);
    const std::string port(row["port"].get_string().value());
    const std::string own = std::to_string(parsed->port);
    const bool is_default = own == (parsed->scheme == "https" ? "443" : "80");
    CHECK((is_default ? "" : own) == port);
    CHECK(std::string_view(row["username"].get_string().value()).empty());
  }
  CHECK(rows > 100);
  CHECK(accepted > 20);
}

}  // namespace
}  // namespace byway::registry
