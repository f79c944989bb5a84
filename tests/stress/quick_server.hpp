// A server quick enough for a hundred thousand calls under sanitizers: one thread, one epoll set.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace byway::stress {

/// Answers every POST on 127.0.0.1 with a chat completion, or, when the body has "stream":true,
/// with ten events and [DONE]. Every seventh stream is cut in the middle and every eleventh call
/// gets a 500, so that all endings happen.
class QuickServer {
 public:
  QuickServer();
  ~QuickServer();
  QuickServer(const QuickServer&) = delete;

  std::string base_url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }
  /// Never fail and never cut from now on.
  void be_kind() { is_kind_ = true; }
  std::int64_t requests() const { return requests_.load(); }

 private:
  struct Connection {
    std::string in;
    std::string out;
    bool closes = false;
  };

  void run();
  void read(int fd);
  bool answer(Connection& connection);
  void flush(int fd);
  void drop(int fd);

  int listener_ = -1;
  int epoll_ = -1;
  int stop_ = -1;
  int port_ = 0;
  std::atomic<bool> is_kind_{false};
  std::atomic<std::int64_t> requests_{0};
  std::int64_t streams_ = 0;
  std::int64_t calls_ = 0;
  std::vector<Connection*> connections_;
  std::thread thread_;
};

}  // namespace byway::stress
