#include "vault/upstream_secret.hpp"

#include <string>

#include "catch.hpp"
#include "fixtures.hpp"

namespace byway::vault {
namespace {

TEST_CASE("a key that no header may carry is refused (B11, B12)") {
  struct Row {
    std::string secret;
    std::string says;
  };
  const Row rows[] = {
      {"", "empty"},
      {" ", "empty"},
      {"    ", "empty"},
      {"sk-canary\r", "a carriage return at byte 10 of 10"},
      {"sk-canary\n", "a line feed at byte 10 of 10"},
      {"sk-canary\r\n", "a carriage return"},
      {"sk-\nX-Evil: 1", "a line feed at byte 4"},
      {std::string("sk-\0canary", 10), "a NUL byte at byte 4"},
      {"sk-\tcanary", "a tab"},
      {"\tsk-canary", "a tab at byte 1"},
      {"sk-\x01 canary", "a control character"},
      {"sk-canary\x7f", "a control character"},
      {"sk-can\xc3\xa4ry", "not ASCII"},
      {"sk-canary\xff", "not ASCII"},
      {"\xef\xbb\xbfsk-canary", "not ASCII at byte 1"},
      {" sk-canary", "starts or ends with a space"},
      {"sk-canary ", "starts or ends with a space"},
      {std::string(8193, 'k'), "8193"},
      {std::string(65536, 'k'), "65536"},
  };
  for (const Row& row : rows) {
    const Result<void> outcome = validate_upstream_secret(row.secret);
    INFO(row.says);
    REQUIRE(code_of(outcome) == "vault_secret_invalid");
    CHECK(outcome.error().message().find(row.says) != std::string::npos);
    CHECK(outcome.error().message().find("canary") == std::string::npos);
  }
}

TEST_CASE("keys as servers hand them out are accepted") {
  for (const std::string& secret :
       {std::string("k"), std::string(upstream_secret), std::string("Basic dXNlcjpwYXNz"),
        std::string("~!@#$%^&*()_+{}|:\"<>?`-=[]\\;',./"), std::string(8192, 'k')}) {
    CHECK(validate_upstream_secret(secret).has_value());
  }
}

TEST_CASE("a preview shows four characters of a key that is long enough") {
  CHECK(preview_of("sk-proj-0123456789") == "sk-p...");
  CHECK(preview_of("123456789012") == "1234...");
  CHECK(preview_of("12345678901") == "****");
  CHECK(preview_of("k") == "****");
  CHECK(preview_of("") == "****");
}

}  // namespace
}  // namespace byway::vault
