// What every transport promises: one suite, run on the scripted and on the real one.
#include <algorithm>

#include "contract/rig.hpp"

using namespace byway;
using namespace byway::testing;
using namespace byway::contract;

TEMPLATE_TEST_CASE("a request goes out as given and the answer comes back whole", "", FakeRig,
                   CurlRig) {
  Fixture<TestType> f;
  f.rig.script({SendHead{201, {{"content-type", "application/json"}, {"x-a", "b"}}},
                SendBody{"{\"ok\""}, SendBody{":true}"}, Finish{}});
  Recorder sink;
  f.start(sink);
  REQUIRE(sink.wait_for_end());
  CHECK(sink.status == 201);
  CHECK(sink.heads == 1);
  CHECK(sink.body == "{\"ok\":true}");
  CHECK(sink.end.fault == TransferFault::none);
  CHECK(sink.end.sent == Sent::yes);
  CHECK(sink.end.wire_copies == 1);
  const auto requests = f.rig.requests();
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].body == "{\"a\":1}");
  CHECK(requests[0].has_secret);
  const auto has = [&](const std::string& line) {
    const auto& all = requests[0].header_lines;
    return std::find(all.begin(), all.end(), line) != all.end();
  };
  CHECK(has("X-Static: 1"));
  CHECK(has("X-Test: yes"));
  CHECK_FALSE(has("Expect: 100-continue"));
}

TEMPLATE_TEST_CASE("a body of many pieces and of megabytes arrives byte for byte", "", FakeRig,
                   CurlRig) {
  Fixture<TestType> f;
  std::string large(std::size_t{3} << 20, 'x');
  for (std::size_t i = 0; i < large.size(); i += 97) large[i] = static_cast<char>('a' + i % 26);
  f.body = {"{\"b\":\"", large, "\"", "}"};
  f.rig.script({SendHead{}, Finish{}});
  Recorder sink;
  f.start(sink);
  REQUIRE(sink.wait_for_end());
  CHECK(sink.end.fault == TransferFault::none);
  REQUIRE(f.rig.requests().size() == 1);
  CHECK(f.rig.requests()[0].body == "{\"b\":\"" + large + "\"}");
}

TEMPLATE_TEST_CASE("a connection that ends inside the body is a cut, never an end", "", FakeRig,
                   CurlRig) {
  Fixture<TestType> f;
  f.rig.script({SendHead{}, SendBody{"half"}, Fail{TransferFault::cut}});
  Recorder sink;
  f.start(sink);
  REQUIRE(sink.wait_for_end());
  CHECK(sink.end.fault == TransferFault::cut);
  CHECK(sink.end.sent == Sent::yes);
}

TEMPLATE_TEST_CASE("a connection that ends without a byte may have been received", "", FakeRig,
                   CurlRig) {
  Fixture<TestType> f;
  f.rig.script({Fail{TransferFault::closed_early}});
  Recorder sink;
  f.start(sink);
  REQUIRE(sink.wait_for_end());
  CHECK(sink.end.fault == TransferFault::closed_early);
  CHECK(sink.end.sent == Sent::maybe);
  CHECK(sink.end.wire_copies == 1);
  CHECK(sink.heads == 0);
}

TEMPLATE_TEST_CASE("the first byte and the pauses between bytes are limited apart", "", FakeRig,
                   CurlRig) {
  Fixture<TestType> f;
  f.limits.first_byte = milliseconds(300);
  f.limits.stall = milliseconds(150);
  SECTION("no first byte") {
    f.rig.script({Hold{}});
    Recorder sink;
    f.start(sink);
    f.rig.pass(milliseconds(301));
    REQUIRE(sink.wait_for_end());
    CHECK(sink.end.fault == TransferFault::first_byte_timeout);
    CHECK(sink.end.sent == Sent::maybe);
  }
  SECTION("silence in the middle") {
    f.rig.script({SendHead{}, SendBody{"x"}, Hold{}});
    Recorder sink;
    f.start(sink);
    REQUIRE(sink.wait([](const Recorder& r) { return r.body == "x"; }));
    f.rig.pass(milliseconds(151));
    REQUIRE(sink.wait_for_end());
    CHECK(sink.end.fault == TransferFault::stall_timeout);
    CHECK(sink.end.sent == Sent::yes);
  }
}

TEMPLATE_TEST_CASE("a cancelled transfer closes its connection and is never heard again", "",
                   FakeRig, CurlRig) {
  Fixture<TestType> f;
  f.rig.script({SendHead{}, SendBody{"x"}, Hold{}});
  Recorder sink;
  const TransferId id = f.start(sink);
  REQUIRE(sink.wait([](const Recorder& r) { return r.body == "x"; }));
  f.on_loop([&] { f.rig.transport->cancel(id); });
  CHECK(f.rig.saw_closes(1));
  f.on_loop([&] { f.rig.transport->cancel(id); });
  CHECK(sink.ends == 0);
}

TEMPLATE_TEST_CASE("a transfer may be cancelled from inside its own callback", "", FakeRig,
                   CurlRig) {
  Fixture<TestType> f;
  f.rig.script({SendHead{}, SendBody{"x"}, SendBody{"y"}, Hold{}});
  Recorder sink;
  TransferId id = 0;
  sink.on_piece = [&](std::string_view) {
    f.rig.transport->cancel(id);
    return Flow::go;
  };
  f.on_loop([&] {
    id = f.rig.transport->start({.target = f.target, .body = f.body, .limits = f.limits}, sink);
  });
  CHECK(f.rig.saw_closes(1));
  f.on_loop([] {});  // the callback has returned
  CHECK(sink.ends == 0);
}

TEMPLATE_TEST_CASE("a paused transfer delivers nothing until it is resumed, and then everything",
                   "", FakeRig, CurlRig) {
  Fixture<TestType> f;
  f.limits.stall = milliseconds(100);
  Script steps{SendHead{}};
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    std::string piece(1000, static_cast<char>('a' + i % 26));
    expected += piece;
    steps.emplace_back(SendBody{piece});
  }
  steps.emplace_back(Finish{});
  f.rig.script(steps);
  Recorder sink;
  int pieces = 0;
  sink.on_piece = [&](std::string_view) { return ++pieces % 3 == 0 ? Flow::pause : Flow::go; };
  const TransferId id = f.start(sink);
  REQUIRE(sink.wait([](const Recorder& r) { return !r.body.empty(); }));
  f.rig.pass(milliseconds(1000));  // the stall limit stands still while the flow does
  bool has_ended = false;
  while (!has_ended) {
    f.on_loop([&] {
      f.rig.transport->resume(id);
      has_ended = sink.ends > 0;
    });
  }
  CHECK(sink.end.fault == TransferFault::none);
  CHECK(sink.body == expected);
}

TEMPLATE_TEST_CASE("a transport serves many requests at once", "", FakeRig, CurlRig) {
  Fixture<TestType> f;
  constexpr int count = 200;
  for (int i = 0; i < count; ++i) f.rig.script({SendHead{}, SendBody{"ok"}, Finish{}});
  std::vector<std::unique_ptr<Recorder>> sinks;
  for (int i = 0; i < count; ++i) sinks.push_back(std::make_unique<Recorder>());
  f.on_loop([&] {
    for (auto& sink : sinks) {
      f.rig.transport->start({.target = f.target, .body = f.body, .limits = f.limits}, *sink);
    }
  });
  for (auto& sink : sinks) {
    REQUIRE(sink->wait_for_end());
    CHECK(sink->body == "ok");
  }
}
