// What only a transport with connections can get wrong: reuse, and libcurl's own re-send.
#include <algorithm>

#include <byway/testing/fake_transport.hpp>

#include "catch.hpp"
#include "contract/rig.hpp"

using namespace byway;
using namespace byway::testing;
using namespace byway::contract;

TEST_CASE("requests one after the other share a connection") {
  Fixture<CurlRig> f;
  for (int i = 0; i < 5; ++i) {
    f.rig.script({SendHead{}, SendBody{"ok"}, Finish{}});
    Recorder sink;
    f.start(sink);
    REQUIRE(sink.wait_for_end());
    CHECK(sink.end.fault == TransferFault::none);
  }
  CHECK(f.rig.server.connections() == 1);
}

TEST_CASE(
    "answers that come fast are read in larger pieces from then on, and short ones again not") {
  Fixture<CurlRig> f;
  const std::string large(std::size_t{256} << 10, 'x');
  const auto largest_piece = [&](const std::string& body) {
    std::size_t largest = 0;
    Recorder sink;
    sink.on_piece = [&](std::string_view bytes) {
      largest = std::max(largest, bytes.size());
      return Flow::go;
    };
    f.rig.script({SendHead{}, SendBody{body}, Finish{}});
    f.start(sink);
    REQUIRE(sink.wait_for_end());
    CHECK(sink.body == body);
    return largest;
  };
  constexpr std::size_t small = 2048;
  CHECK(largest_piece(large) <= small);
  CHECK(largest_piece(large) > small);
  CHECK(largest_piece(large) > 4 * small);
  CHECK(largest_piece("short") == 5);
  CHECK(largest_piece(large) <= small);
}

TEST_CASE("targets of different pools never share a connection") {
  Fixture<CurlRig> f;
  std::vector<std::shared_ptr<Target>> kept;
  for (const char* pool : {"a", "b", "a"}) {
    auto target = std::make_shared<Target>(*f.target);
    target->pool = pool;
    f.target = target;
    kept.push_back(target);
    f.rig.script({SendHead{}, SendBody{"ok"}, Finish{}});
    Recorder sink;
    f.start(sink);
    REQUIRE(sink.wait_for_end());
  }
  CHECK(f.rig.server.connections() == 2);
}

TEST_CASE("a request on a reused connection that dies without a byte is not sent twice unasked") {
  Fixture<CurlRig> f;
  f.rig.script({SendHead{}, SendBody{"ok"}, Finish{}});
  Recorder first;
  f.start(first);
  REQUIRE(first.wait_for_end());

  f.rig.script({Fail{TransferFault::closed_early}});
  f.rig.script({SendHead{}, SendBody{"second"}, Finish{}});
  SECTION("never repeat what may have been received") {
    Recorder second;
    f.start(second);
    REQUIRE(second.wait_for_end());
    CHECK(second.end.fault == TransferFault::closed_early);
    CHECK(second.end.sent == Sent::maybe);
    CHECK(second.end.wire_copies == 1);
    CHECK(f.rig.requests().size() == 2);
  }
  SECTION("repeat once, and say so") {
    f.may_resend = true;
    Recorder second;
    f.start(second);
    REQUIRE(second.wait_for_end());
    CHECK(second.end.fault == TransferFault::none);
    CHECK(second.body == "second");
    CHECK(second.end.wire_copies == 2);
    CHECK(f.rig.requests().size() == 3);
  }
}

TEST_CASE("a long body is sent again from its beginning") {
  Fixture<CurlRig> f;
  const std::string large(std::size_t{200} << 10, 'z');
  f.body = {"{\"a\":\"", large, "\"}"};
  f.may_resend = true;
  f.rig.script({SendHead{}, SendBody{"ok"}, Finish{}});
  f.rig.script({Fail{TransferFault::closed_early}});
  f.rig.script({SendHead{}, SendBody{"second"}, Finish{}});
  Recorder first;
  f.start(first);
  REQUIRE(first.wait_for_end());
  Recorder second;
  f.start(second);
  REQUIRE(second.wait_for_end());
  CHECK(second.body == "second");
  REQUIRE(f.rig.requests().size() == 3);
  CHECK(f.rig.requests()[2].body == "{\"a\":\"" + large + "\"}");
}

TEST_CASE("an unfinished answer's connection is not used again") {
  Fixture<CurlRig> f;
  f.rig.script({SendHead{}, SendBody{"x"}, Hold{}});
  Recorder first;
  const TransferId id = f.start(first);
  REQUIRE(first.wait([](const Recorder& r) { return r.body == "x"; }));
  f.on_loop([&] { f.rig.transport->cancel(id); });
  f.rig.script({SendHead{}, SendBody{"ok"}, Finish{}});
  Recorder second;
  f.start(second);
  REQUIRE(second.wait_for_end());
  CHECK(second.body == "ok");
  CHECK(f.rig.server.connections() == 2);
}

TEST_CASE("a redirect is an answer like any other and nobody follows it") {
  Fixture<CurlRig> f;
  f.rig.script({SendHead{307, {{"location", "http://127.0.0.1:1/"}}}, SendBody{""}, Finish{}});
  Recorder sink;
  f.start(sink);
  REQUIRE(sink.wait_for_end());
  CHECK(sink.status == 307);
  CHECK(sink.end.fault == TransferFault::none);
  CHECK(f.rig.requests().size() == 1);
}

TEST_CASE("an address that is not allowed is never dialled") {
  Fixture<CurlRig> f;
  std::string judged;
  f.target->address_allowed = [&](std::string_view address) {
    judged = address;
    return false;
  };
  Recorder sink;
  f.start(sink);
  REQUIRE(sink.wait_for_end());
  CHECK(judged == "127.0.0.1");
  CHECK(sink.end.fault == TransferFault::address_blocked);
  CHECK(sink.end.sent == Sent::no);
  CHECK(f.rig.server.connections() == 0);
}

TEST_CASE("a refused connection was never sent") {
  Fixture<CurlRig> f;
  f.target->url = "http://127.0.0.1:1/v1/x";
  Recorder sink;
  f.start(sink);
  REQUIRE(sink.wait_for_end());
  CHECK(sink.end.fault == TransferFault::connect_failed);
  CHECK(sink.end.sent == Sent::no);
  CHECK(sink.end.wire_copies == 0);
}

TEST_CASE("a proxy of the environment is not used") {
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
  Fixture<CurlRig> f;
  f.rig.script({SendHead{}, SendBody{"ok"}, Finish{}});
  Recorder sink;
  f.start(sink);
  REQUIRE(sink.wait_for_end());
  CHECK(sink.body == "ok");
  unsetenv("http_proxy");
  unsetenv("ALL_PROXY");
}
