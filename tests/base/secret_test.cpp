#include <byway/secret.hpp>

#include <fmt/core.h>

#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

#include "catch.hpp"
#include "memory_look.hpp"

namespace byway {
namespace {

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) {
  out << value;
};

static_assert(!Streamable<Secret>);
static_assert(!fmt::is_formattable<Secret>::value);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_constructible_v<bool, Secret>);
static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret>);

const std::string text = "sk-canary-0123456789-0123456789";

TEST_CASE("a secret holds the bytes it was made of") {
  const std::string with_nul("a\0b", 3);
  for (const std::string& bytes : {text, with_nul, std::string(100'000, 'k'), std::string()}) {
    const Secret secret = Secret::copy_of(bytes);
    CHECK((secret.expose_secret() == bytes));
    CHECK(secret.size() == bytes.size());
    CHECK(secret.is_empty() == bytes.empty());
    CHECK((secret.clone() == secret));
  }
}

TEST_CASE("a secret to be filled starts as zero bytes, also where another one was") {
  for (int round = 0; round < 100; ++round) {
    Secret secret = Secret::zeros(48);
    CHECK((secret == Secret::copy_of(std::string(48, '\0'))));
    for (std::size_t at = 0; at < secret.size(); ++at) secret.mutable_bytes()[at] = 'x';
  }
}

TEST_CASE("a secret is wiped when it ends") {
  const char* bytes = nullptr;
  {
    const Secret secret = Secret::copy_of(text);
    bytes = secret.expose_secret().data();
    CHECK_FALSE(test::is_all_zero(bytes, text.size()));
  }
  CHECK(test::is_all_zero(bytes, text.size()));
}

TEST_CASE("a secret is wiped when another takes its place") {
  Secret secret = Secret::copy_of(text);
  const char* bytes = secret.expose_secret().data();
  secret = Secret::copy_of("other");
  CHECK(test::is_all_zero(bytes, text.size()));
  CHECK((secret.expose_secret() == "other"));
}

TEST_CASE("a moved secret keeps its bytes in place and leaves an empty one") {
  Secret secret = Secret::copy_of(text);
  const char* bytes = secret.expose_secret().data();
  Secret moved = std::move(secret);
  CHECK(moved.expose_secret().data() == bytes);
  CHECK(secret.is_empty());  // NOLINT: what is left of it is part of the promise
  Secret& same = moved;
  moved = std::move(same);
  CHECK((moved.expose_secret() == text));
}

TEST_CASE("secrets are equal by their bytes") {
  const Secret secret = Secret::copy_of(text);
  CHECK((secret == Secret::copy_of(text)));
  CHECK_FALSE((secret == Secret::copy_of(text + "x")));
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string other = text;
    other[at] = static_cast<char>(other[at] ^ 1);
    CHECK_FALSE((secret == Secret::copy_of(other)));
  }
  CHECK((Secret() == Secret::copy_of("")));
  CHECK_FALSE((secret == Secret()));
}

TEST_CASE("the kernel leaves a secret's page out of core dumps") {
  const Secret secret = Secret::copy_of(text);
  const std::string flags = test::flags_of_page(secret.expose_secret().data());
  if (flags.empty()) {
    WARN("/proc/self/smaps does not say which pages are dumped: skipped");
    return;
  }
  CHECK(flags.find(" dd ") != std::string::npos);
}

}  // namespace
}  // namespace byway
