// Plays FakeTransport's scripts over real sockets, so that one suite can run on both transports.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <byway/testing/fake_transport.hpp>

namespace byway::contract {

/// A listener on 127.0.0.1. Answers with chunked framing; one thread per connection; ends with its
/// last test.
class ScriptServer {
 public:
  ScriptServer();
  ~ScriptServer();
  ScriptServer(const ScriptServer&) = delete;

  void script(testing::Script steps);
  std::string url() const;
  /// The body of each request, in the order of arrival.
  std::vector<testing::SeenRequest> requests() const;
  int connections() const { return connections_.load(); }
  /// Waits until `count` connections were closed by the client in the middle of an answer.
  bool wait_for_client_closes(int count, std::chrono::milliseconds limit);

 private:
  void accept_all();
  void serve(int fd);
  bool read_request(int fd, std::string& buffer, testing::SeenRequest& request);
  bool play(int fd, const testing::Script& steps);
  void hold(int fd);
  testing::Script take_script();

  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> is_stopping_{false};
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<testing::Script> scripts_;
  std::vector<testing::SeenRequest> seen_;
  int client_closes_ = 0;
  std::set<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace byway::contract
