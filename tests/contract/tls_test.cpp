// The real transport over TLS, and the traps of libcurl that need a real server to show.
#include <byway/testing/fake_transport.hpp>

#include "catch.hpp"
#include "contract/rig.hpp"
#include "support/loopback_server.hpp"

using namespace byway;
using namespace byway::contract;
using testing_support::always;
using testing_support::Authority;
using testing_support::Framing;
using testing_support::json_reply;
using testing_support::LoopbackServer;
using testing_support::ServerOptions;

namespace {

/// A transport pointed at a LoopbackServer instead of the suite's own.
struct TlsFixture : Fixture<CurlRig> {
  TlsFixture(const LoopbackServer& server, const std::string& ca_file) {
    auto changed = std::make_shared<Target>(*target);
    changed->url = server.url("/v1/x");
    changed->ca_file = ca_file;
    changed->pool = changed->url + ca_file;
    target = changed;
  }
};

void expect_refused(const LoopbackServer& server, const std::string& ca_file) {
  TlsFixture f(server, ca_file);
  Recorder sink;
  f.start(sink);
  REQUIRE(sink.wait_for_end());
  CHECK(sink.end.fault == TransferFault::tls_failed);
  CHECK(sink.end.sent == Sent::no);
  CHECK(sink.end.wire_copies == 0);
  CHECK(server.counts().requests == 0);
}

}  // namespace

TEST_CASE(
    "a server whose authority is named in ca_file is spoken to, again and again on one "
    "connection") {
  const auto authority = std::make_shared<Authority>();
  LoopbackServer server(always(json_reply("{\"ok\":1}")), {.tls = authority});
  TlsFixture f(server, authority->ca_file());
  for (int i = 0; i < 5; ++i) {
    Recorder sink;
    f.start(sink);
    REQUIRE(sink.wait_for_end());
    INFO(sink.end.detail);
    CHECK(sink.end.fault == TransferFault::none);
    CHECK(sink.body == "{\"ok\":1}");
  }
  CHECK(server.counts().connections == 1);
}

TEST_CASE("no byte of a request goes to a server that cannot prove itself") {
  const auto authority = std::make_shared<Authority>();
  SECTION("an authority that only others trust") {
    LoopbackServer server(always(json_reply("{}")), {.tls = authority});
    const Authority other;
    expect_refused(server, other.ca_file());
  }
  SECTION("the system's authorities") {
    LoopbackServer server(always(json_reply("{}")), {.tls = authority});
    expect_refused(server, "");
  }
  SECTION("a certificate for another name") {
    const auto wrong = std::make_shared<Authority>(
        testing_support::CertificateOptions{.names = "DNS:elsewhere.example"});
    LoopbackServer server(always(json_reply("{}")), {.tls = wrong});
    expect_refused(server, wrong->ca_file());
  }
  SECTION("an expired certificate") {
    const auto old =
        std::make_shared<Authority>(testing_support::CertificateOptions{.is_expired = true});
    LoopbackServer server(always(json_reply("{}")), {.tls = old});
    expect_refused(server, old->ca_file());
  }
}

TEST_CASE("a server that asks for a client certificate gets the endpoint's") {
  const auto authority = std::make_shared<Authority>();
  LoopbackServer server(always(json_reply("{}")),
                        {.tls = authority, .asks_client_certificate = true});
  TlsFixture f(server, authority->ca_file());
  auto target = std::make_shared<Target>(*f.target);
  target->client_cert = authority->client_files().certificate;
  target->client_key = authority->client_files().key;
  target->pool = "with a certificate";
  f.target = target;
  Recorder sink;
  f.start(sink);
  REQUIRE(sink.wait_for_end());
  CHECK(sink.end.fault == TransferFault::none);
}

TEST_CASE("a body of two megabytes does not wait for a 100 Continue that never comes") {
  LoopbackServer server(always(json_reply("{}")));
  TlsFixture f(server, "");
  const std::string large(std::size_t{2} << 20, 'x');
  f.body = {large};
  Recorder sink;
  f.start(sink);
  REQUIRE(sink.wait_for_end());
  CHECK(sink.end.fault == TransferFault::none);
  REQUIRE(server.requests().size() == 1);
  CHECK(server.requests()[0].header("expect").empty());
  CHECK(server.requests()[0].body.size() == large.size());
}

TEST_CASE("no compression is asked for, and a compressed answer is decoded all the same") {
  // gzip of {"ok":1}
  const std::string packed(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\xca\xcf\x56\xb2\x32\xac\x05\x00"
      "\x09\x8c\x54\x10\x08\x00\x00\x00",
      28);
  LoopbackServer server(
      always({testing_support::SendHead{.headers = {{"Content-Encoding", "gzip"}}},
              testing_support::SendChunk{packed}, testing_support::SendEnd{}}));
  TlsFixture f(server, "");
  Recorder sink;
  f.start(sink);
  REQUIRE(sink.wait_for_end());
  CHECK(sink.end.fault == TransferFault::none);
  CHECK(sink.body == "{\"ok\":1}");
  CHECK(server.requests()[0].header("accept-encoding").empty());
}

TEST_CASE("a body shorter than its declared length is a cut") {
  LoopbackServer server(
      always({testing_support::SendHead{.framing = Framing::length, .length = 100},
              testing_support::Send{"half"}, testing_support::Finish{}}));
  TlsFixture f(server, "");
  Recorder sink;
  f.start(sink);
  REQUIRE(sink.wait_for_end());
  CHECK(sink.end.fault == TransferFault::cut);
}

TEST_CASE("heads without end and bytes that are no HTTP are refused in bounded memory") {
  SECTION("endless headers") {
    std::string head = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 3000; ++i) head += "X-Header-" + std::to_string(i) + ": value\r\n";
    LoopbackServer server(always({testing_support::Send{head}, testing_support::Hold{}}));
    TlsFixture f(server, "");
    Recorder sink;
    f.start(sink);
    REQUIRE(sink.wait_for_end());
    CHECK(sink.end.fault == TransferFault::headers_too_large);
  }
  SECTION("another protocol") {
    LoopbackServer server(
        always({testing_support::Send{"SSH-2.0-OpenSSH_9.2\r\n"}, testing_support::Finish{}}));
    TlsFixture f(server, "");
    Recorder sink;
    f.start(sink);
    REQUIRE(sink.wait_for_end());
    CHECK(sink.end.fault == TransferFault::protocol);
    CHECK(sink.heads == 0);
  }
}

TEST_CASE("a port that accepts and never speaks runs into the limit for the first byte") {
  LoopbackServer server(always({}), {.reads = false});
  TlsFixture f(server, "");
  f.limits.first_byte = milliseconds(100);
  Recorder sink;
  f.start(sink);
  REQUIRE(sink.wait_for_end());
  CHECK(sink.end.fault == TransferFault::first_byte_timeout);
  CHECK(sink.end.sent == Sent::maybe);
}
