#include "support/loopback_server.hpp"

#include <curl/curl.h>

#include "catch.hpp"

namespace byway::testing_support {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

struct Answer {
  CURLcode result = CURLE_OK;
  long status = 0;
  std::string body = {};
};

/// A client as plain as can be, keeping its connection.
class Client {
 public:
  Client() : easy_(curl_easy_init()) {
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_WRITEFUNCTION, &Client::append);
    set(CURLOPT_TIMEOUT_MS, 5000L);
  }
  Client(const Client&) = delete;
  ~Client() { curl_easy_cleanup(easy_); }

  template <class T>
  Client& set(CURLoption option, T value) {
    curl_easy_setopt(easy_, option, value);
    return *this;
  }
  Answer post(const std::string& url, const std::string& body) {
    Answer answer;
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    set(CURLOPT_POSTFIELDS, body.c_str());
    set(CURLOPT_WRITEDATA, &answer.body);
    answer.result = curl_easy_perform(easy_);
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &answer.status);
    return answer;
  }

 private:
  static std::size_t append(char* bytes, std::size_t, std::size_t size, void* into) {
    static_cast<std::string*>(into)->append(bytes, size);
    return size;
  }
  CURL* easy_;
};

const std::string body = R"({"model":"m"})";

TEST_CASE("requests come in order on one connection and are kept as they came") {
  LoopbackServer server([](const SeenRequest& request) {
    return json_reply(std::to_string(request.number) + request.body);
  });
  Client client;
  CHECK(client.post(server.url("/v1/x?a=1"), body).body == "1" + body);
  CHECK(client.post(server.url("/v1/x?a=1"), body).body == "2" + body);
  const auto requests = server.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[1].method == "POST");
  CHECK(requests[1].path == "/v1/x?a=1");
  CHECK(requests[1].header("CONTENT-length") == std::to_string(body.size()));
  CHECK(requests[1].connection == 1);
  CHECK(server.counts().connections == 1);
}

TEST_CASE("events come chunk by chunk, and a drip byte by byte") {
  LoopbackServer server([](const SeenRequest& request) -> Script {
    if (request.number == 1) return event_stream({"a", "b"});
    return {SendHead{.framing = Framing::length, .length = 3}, Drip{"abc", milliseconds(1)}};
  });
  Client client;
  CHECK(client.post(server.url(), body).body == "data: a\n\ndata: b\n\ndata: [DONE]\n\n");
  CHECK(client.post(server.url(), body).body == "abc");
}

TEST_CASE("a connection that ends between two requests is replaced by the client") {
  Script first = json_reply("{}");
  first.insert(first.end(), {Sleep{milliseconds(10)}, Finish{}});
  LoopbackServer server(by_connection({{first}, {json_reply("{}")}}));
  Client client;
  CHECK(client.post(server.url(), body).status == 200);
  REQUIRE(server.wait_for([](const Counts& counts) { return counts.open == 0; }));
  CHECK(client.post(server.url(), body).status == 200);
  CHECK(server.counts().connections == 2);
}

TEST_CASE("a reset after a whole request reaches the client") {
  LoopbackServer server(always({Reset{}}));
  const Answer answer = Client().post(server.url(), body);
  CHECK(answer.result == CURLE_RECV_ERROR);
  CHECK(server.counts().requests == 1);
  CHECK(server.counts().peer_closes == 0);
}

TEST_CASE("a client that gives up is seen, with its time") {
  LoopbackServer server(always({SendHead{}, Hold{}}));
  const auto before = Clock::now();
  Client client;
  client.set(CURLOPT_TIMEOUT_MS, 20L);
  CHECK(client.post(server.url(), body).result == CURLE_OPERATION_TIMEDOUT);
  REQUIRE(server.wait_for([](const Counts& counts) { return counts.peer_closes == 1; }));
  CHECK(server.peer_closes()[0].when > before);
}

TEST_CASE("a server that reads nothing stalls a large body") {
  LoopbackServer server(always({}), {.reads = false});
  Client client;
  client.set(CURLOPT_TIMEOUT_MS, 50L);
  CHECK(client.post(server.url(), std::string(16u << 20, 'x')).result == CURLE_OPERATION_TIMEDOUT);
  REQUIRE(server.wait_for([](const Counts& counts) { return counts.peer_closes == 1; }));
  CHECK(server.counts().bytes_received == 0);
}

TEST_CASE("an answer may come before the body is read") {
  LoopbackServer server(always(json_reply("{}", 413)), {.answers_at_head = true});
  CHECK(Client().post(server.url(), body).status == 413);
  REQUIRE(server.wait_for([](const Counts& counts) { return counts.requests == 1; }));
  CHECK(server.requests()[0].body == body);
}

TEST_CASE("TLS is spoken with a certificate of the authority alone") {
  const auto authority = std::make_shared<Authority>();
  const auto other = std::make_shared<Authority>();
  LoopbackServer server(always(json_reply("{}")), {.tls = authority});
  const std::string ca = authority->ca_file();
  const std::string other_ca = other->ca_file();
  CHECK(Client().set(CURLOPT_CAINFO, ca.c_str()).post(server.url(), body).status == 200);
  CHECK(Client().set(CURLOPT_CAINFO, other_ca.c_str()).post(server.url(), body).result ==
        CURLE_PEER_FAILED_VERIFICATION);
}

TEST_CASE("a server may ask who the client is") {
  const auto authority = std::make_shared<Authority>();
  LoopbackServer server(always(json_reply("{}")),
                        {.tls = authority, .asks_client_certificate = true});
  const std::string ca = authority->ca_file();
  const CertificateFiles files = authority->client_files();
  Client client;
  client.set(CURLOPT_CAINFO, ca.c_str());
  CHECK(client.post(server.url(), body).result != CURLE_OK);
  client.set(CURLOPT_SSLCERT, files.certificate.c_str()).set(CURLOPT_SSLKEY, files.key.c_str());
  CHECK(client.post(server.url(), body).status == 200);
}

TEST_CASE("IPv6 works where the machine has it") {
  try {
    LoopbackServer server(always(json_reply("{}")), {.is_ipv6 = true});
    CHECK(Client().post(server.url(), body).status == 200);
  } catch (const std::system_error&) {
    WARN("no IPv6 here");
  }
}

TEST_CASE("a refusing port refuses and a silent one keeps the client waiting") {
  const RefusingPort refusing;
  const SilentPort silent;
  Client client;
  client.set(CURLOPT_CONNECTTIMEOUT_MS, 50L);
  const auto url = [](int port) { return "http://127.0.0.1:" + std::to_string(port) + "/"; };
  CHECK(client.post(url(refusing.port()), body).result == CURLE_COULDNT_CONNECT);
  CHECK(client.post(url(silent.port()), body).result == CURLE_OPERATION_TIMEDOUT);
}

TEST_CASE("the server goes at once, whatever clients hold") {
  std::vector<std::thread> clients;
  const auto before = Clock::now();
  {
    LoopbackServer server(always({SendHead{}, Hold{}}));
    for (int i = 0; i < 8; ++i)
      clients.emplace_back([url = server.url()] { Client().post(url, body); });
    REQUIRE(server.wait_for([](const Counts& counts) { return counts.requests == 8; }));
  }
  CHECK(Clock::now() - before < std::chrono::seconds(4));
  for (auto& client : clients) client.join();
}

}  // namespace
}  // namespace byway::testing_support
