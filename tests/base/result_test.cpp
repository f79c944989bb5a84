#include "catch.hpp"

#include <memory>
#include <string>
#include <type_traits>

#include <byway/result.hpp>

namespace byway {
namespace {

Error locked() {
  return Error(ErrorCode::store_locked, "later");
}

}  // namespace

static_assert(!std::is_copy_constructible_v<Result<std::unique_ptr<int>>>);
static_assert(std::is_nothrow_move_constructible_v<Result<std::string>>);

TEST_CASE("a result holds a value or an error") {
  Result<std::string> good = std::string("here");
  REQUIRE(good);
  CHECK(good.has_value());
  CHECK(*good == "here");
  CHECK(good->size() == 4);
  good->push_back('!');
  CHECK(good.value() == "here!");
  CHECK(good.value_or("other") == "here!");
  CHECK(*std::move(good) == "here!");

  const Result<std::string> bad = locked();
  CHECK(!bad);
  CHECK(bad.error().code() == ErrorCode::store_locked);
  CHECK(bad.value_or("other") == "other");
}

TEST_CASE("using a failed result throws its error") {
  const Result<std::string> bad = locked();
  const auto check = [](auto use) {
    try {
      use();
      FAIL("nothing was thrown");
    } catch (const ResultError& thrown) {
      CHECK(thrown.error().code() == ErrorCode::store_locked);
      CHECK(std::string(thrown.what()) == "later");
    }
  };
  check([&] { static_cast<void>(*bad); });
  check([&] { static_cast<void>(bad->size()); });
  check([&] { static_cast<void>(bad.value()); });
  check([&] { static_cast<void>(Result<std::string>(locked()).value()); });
  const Result<void> nothing = locked();
  check([&] { nothing.value(); });
}

TEST_CASE("a result of a move-only value gives it away") {
  Result<std::unique_ptr<int>> good = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = std::move(*good);
  CHECK(*taken == 7);
}

TEST_CASE("a result without a value is a success or an error") {
  Result<void> done;
  CHECK(done);
  CHECK_NOTHROW(done.value());
  done = locked();
  CHECK(!done);
  CHECK(done.error().message() == "later");
}

}  // namespace byway
