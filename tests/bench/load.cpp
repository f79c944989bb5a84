#include "bench/load.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace byway::bench {
namespace {

constexpr std::array<std::string_view, 5> mode_names{"json", "burst", "paced", "idle", "held"};

[[noreturn]] void explain(const char* program) {
  std::fprintf(stderr, "usage: %s PORT IN_FLIGHT TOTAL [json|burst|paced|idle|held]\n", program);
  std::exit(2);
}

}  // namespace

Options::Options(int argc, char** argv) {
  if (argc < 4) explain(argv[0]);
  port = std::atoi(argv[1]);
  in_flight = std::atoi(argv[2]);
  total = std::atol(argv[3]);
  if (argc > 4) mode_name = argv[4];
  std::size_t index = 0;
  while (index < mode_names.size() && mode_names[index] != mode_name) ++index;
  if (index == mode_names.size() || in_flight < 1 || total < 1) explain(argv[0]);
  mode = static_cast<Mode>(index);
}

std::string request_body(const std::string& model, bool is_stream) {
  std::string text;
  while (text.size() < 820) text += "Please summarise the following ticket in two sentences. ";
  return R"({"model":")" + model + R"(","temperature":0.2,"max_tokens":64,"messages":[)" +
         R"({"role":"system","content":"You are a helpful assistant."},)" +
         R"({"role":"user","content":")" + text + R"("}],"stream":)" +
         (is_stream ? "true" : "false") + "}";
}

std::string request_bytes(const Options& options) {
  const std::string body = request_body("m-1", options.is_stream());
  return "POST " + options.path() + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options.port) +
         "\r\nAccept: */*\r\nContent-Type: application/json\r\nAuthorization: Bearer " +
         upstream_key + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string ask(int port, const std::string& path) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("connect");
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) fail("send");
  std::array<char, 1024> bytes;
  const ssize_t count = ::recv(fd, bytes.data(), bytes.size(), 0);
  ::close(fd);
  const std::string answer(bytes.data(), static_cast<std::size_t>(count > 0 ? count : 0));
  const std::size_t end = answer.find("\r\n\r\n");
  if (end == std::string::npos) fail("an answer without a head");
  return answer.substr(end + 4);
}

long held_at(int port) {
  return std::atol(ask(port, "/count").c_str());
}

void fail(const char* what) {
  std::fprintf(stderr, "benchmark failed: %s\n", what);
  std::exit(3);
}

}  // namespace byway::bench
