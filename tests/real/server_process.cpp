#include "real/server_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace byway::real {
namespace {

std::string script(const char* name) {
  return std::string(BYWAY_SOURCE_DIR) + "/tests/real/" + name;
}

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

}  // namespace

std::optional<std::string> why_unavailable() {
  const std::string command = script("setup") + " 2>&1 >/dev/null";
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return "tests/real/setup cannot be run";
  std::string last;
  std::array<char, 1024> line;
  while (std::fgets(line.data(), static_cast<int>(line.size()), pipe) != nullptr)
    last = line.data();
  const int status = ::pclose(pipe);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::nullopt;
  return "llama.cpp's server is not here: " + last;
}

LlamaServer::LlamaServer(std::vector<std::string> options) : port_(free_port()) {
  std::vector<std::string> words{script("start_llama"), std::to_string(port_), "/dev/null"};
  words.insert(words.end(), options.begin(), options.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
}

LlamaServer::~LlamaServer() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

int LlamaServer::get(const std::string& path, std::string* body) const {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" +
                                "Authorization: Bearer k\r\nConnection: close\r\n\r\n";
    static_cast<void>(!::send(fd, request.data(), request.size(), MSG_NOSIGNAL));
    std::array<char, 4096> bytes;
    for (ssize_t n; (n = ::recv(fd, bytes.data(), bytes.size(), 0)) > 0;) {
      answer.append(bytes.data(), static_cast<std::size_t>(n));
    }
  }
  ::close(fd);
  if (answer.size() < 12) return 0;
  if (body != nullptr) *body = answer.substr(std::min(answer.size(), answer.find("\r\n\r\n") + 4));
  return std::atoi(answer.c_str() + 9);
}

bool LlamaServer::wait_until_healthy(std::chrono::seconds limit) const {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (std::chrono::steady_clock::now() < until) {
    if (get("/health") == 200) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

int LlamaServer::busy_slots() const {
  std::string body;
  if (get("/slots", &body) != 200) return -1;
  int busy = 0;
  for (std::size_t at = 0; (at = body.find("\"is_processing\":true", at)) != std::string::npos;
       ++at)
    ++busy;
  return busy;
}

}  // namespace byway::real
