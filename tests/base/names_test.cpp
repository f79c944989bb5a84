#include "catch.hpp"

#include <set>
#include <string>

#include <byway/error.hpp>
#include <byway/request.hpp>

namespace byway {

TEST_CASE("every operation has a name that leads back to it") {
  std::set<std::string_view> names;
  for (int at = 0; at < 6; ++at) {
    const auto operation = static_cast<Operation>(at);
    names.insert(name_of(operation));
    CHECK(operation_of(name_of(operation)) == operation);
  }
  CHECK(names == std::set<std::string_view>{"chat", "completions", "embeddings", "responses",
                                            "rerank", "models"});
  CHECK(!operation_of(""));
  CHECK(!operation_of("Chat"));
  CHECK(name_of(static_cast<Operation>(6)).empty());
}

TEST_CASE("purposes and sent have their words") {
  CHECK(name_of(Purpose::inference) == "inference");
  CHECK(name_of(Purpose::probe) == "probe");
  CHECK(name_of(static_cast<Purpose>(99)).empty());
  CHECK(name_of(Sent::no) == "no");
  CHECK(name_of(Sent::maybe) == "maybe");
  CHECK(name_of(Sent::yes) == "yes");
}

TEST_CASE("every class of upstream failure has one name") {
  std::set<std::string_view> names;
  for (int at = 0; at <= static_cast<int>(UpstreamClass::cancelled); ++at) {
    names.insert(name_of(static_cast<UpstreamClass>(at)));
  }
  CHECK(names.size() == static_cast<std::size_t>(UpstreamClass::cancelled) + 1);
  CHECK(name_of(UpstreamClass::none).empty());
  CHECK(name_of(UpstreamClass::auth) == "auth");
  CHECK(name_of(UpstreamClass::cancelled) == "cancelled");
  CHECK(name_of(static_cast<UpstreamClass>(200)).empty());
}

}  // namespace byway
