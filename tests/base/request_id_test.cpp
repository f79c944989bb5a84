#include "catch.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/fork_guard.hpp"
#include "base/request_id.hpp"

namespace byway::base {
namespace {

std::string text_of(const RequestId& id) {
  return {id.begin(), id.end()};
}

WallTime at_ms(std::int64_t ms) {
  return WallTime(std::chrono::milliseconds(ms));
}

}  // namespace

TEST_CASE("a request id is a prefix and a ULID") {
  const std::string id = text_of(make_request_id(at_ms(1'700'000'000'000)));
  CHECK(id.size() == 33);
  CHECK(id.substr(0, 7) == "bw-req-");
  const std::string digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  CHECK(std::all_of(id.begin() + 7, id.end(),
                    [&](char byte) { return digits.find(byte) != std::string::npos; }));
}

TEST_CASE("the time of an id is its wall time in ms, so that ids sort by it") {
  // The ULID specification's own example.
  CHECK(text_of(make_request_id(at_ms(1'469'918'176'385))).substr(7, 10) == "01ARYZ6S41");
  CHECK(text_of(make_request_id(at_ms(0))).substr(7, 10) == "0000000000");
  CHECK(text_of(make_request_id(at_ms(1))) < text_of(make_request_id(at_ms(2))));
}

TEST_CASE("ids of many threads in one millisecond are all different") {
  std::vector<std::vector<std::string>> made(4);
  std::vector<std::thread> threads;
  for (std::vector<std::string>& ids : made) {
    threads.emplace_back([&ids] {
      for (int at = 0; at < 10'000; ++at) ids.push_back(text_of(make_request_id(at_ms(1))));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& ids : made) all.insert(ids.begin(), ids.end());
  CHECK(all.size() == 40'000);
}

TEST_CASE("a forked child makes ids of its own") {
  static_cast<void>(make_request_id(at_ms(1)));
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const std::uint32_t before = fork_generation();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const RequestId id = make_request_id(at_ms(1));
    const bool is_told = ::write(ends[1], id.data(), id.size()) == 33;
    ::_exit(is_told && fork_generation() == before + 1 ? 0 : 1);
  }
  RequestId theirs{};
  CHECK(::read(ends[0], theirs.data(), theirs.size()) == 33);
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(fork_generation() == before);
  CHECK(theirs != make_request_id(at_ms(1)));
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace byway::base
