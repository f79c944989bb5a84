// The suite's fixture: a loop, a transport and the scripts behind it.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <byway/testing/fake_clock.hpp>
#include <byway/testing/fake_transport.hpp>

#include "catch.hpp"
#include "contract/script_server.hpp"
#include "transport/curl_transport.hpp"
#include "transport/event_loop.hpp"

namespace byway::contract {

using std::chrono::milliseconds;
using testing::FakeClock;
using testing::FakeTransport;
using testing::Script;
using testing::SeenRequest;
using transport::EventLoop;

/// Records what a transfer says; any thread may wait for it.
class Recorder final : public TransferSink {
 public:
  std::function<Flow(std::string_view)> on_piece;

  void on_head(const TransferHead& head) override {
    const std::lock_guard lock(mutex_);
    status = head.status;
    for (const auto& [name, value] : head.headers) headers.emplace_back(name, value);
    ++heads;
  }
  Flow on_body(std::string_view bytes) override {
    Flow flow = on_piece ? on_piece(bytes) : Flow::go;
    const std::lock_guard lock(mutex_);
    body.append(bytes);
    changed_.notify_all();
    return flow;
  }
  void on_end(const TransferEnd& how) override {
    const std::lock_guard lock(mutex_);
    end = how;
    ++ends;
    changed_.notify_all();
  }
  bool wait(std::function<bool(const Recorder&)> condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return condition(*this); });
  }
  bool wait_for_end() {
    return wait([](const Recorder& r) { return r.ends > 0; });
  }

  int status = 0;
  int heads = 0;
  int ends = 0;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  TransferEnd end;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

/// The fake: scripts go straight to the transport, time stands still.
struct FakeRig {
  std::shared_ptr<FakeTransport> transport = std::make_shared<FakeTransport>();
  std::shared_ptr<Clock> clock = std::make_shared<FakeClock>();
  std::string url() const { return "http://127.0.0.1:1/v1/x"; }
  void script(Script steps) { transport->script(std::move(steps)); }
  void pass(milliseconds time) { static_cast<FakeClock&>(*clock).advance(time); }
  std::vector<SeenRequest> requests() const { return transport->requests(); }
  bool saw_closes(int count) {
    for (int i = 0; i < 2000 && transport->cancelled() < count; ++i) std::this_thread::yield();
    return transport->cancelled() >= count;
  }
};

/// The real one: the same scripts played by a server on this machine, real time.
struct CurlRig {
  ScriptServer server;
  std::shared_ptr<Transport> transport = *transport::CurlTransport::create();
  std::shared_ptr<Clock> clock = Clock::system();
  std::string url() const { return server.url(); }
  void script(Script steps) { server.script(std::move(steps)); }
  void pass(milliseconds) {}
  std::vector<SeenRequest> requests() const { return server.requests(); }
  bool saw_closes(int count) {
    return server.wait_for_client_closes(count, std::chrono::seconds(20));
  }
};

template <class Rig>
struct Fixture {
  Rig rig;
  std::unique_ptr<EventLoop> loop = *EventLoop::start(rig.clock);
  std::shared_ptr<Target> target = std::make_shared<Target>();
  std::vector<std::string_view> body{"{\"a\":", "1}"};
  std::vector<std::string_view> lines{"Content-Type: application/json", "X-Test: yes"};
  Secret secret = Secret::copy_of("Authorization: Bearer sk-canary");
  TransferLimits limits;
  bool may_resend = false;

  Fixture() {
    target->url = rig.url();
    target->pool = "p";
    target->headers = {{"X-Static", "1"}};
    on_loop([&] { rig.transport->attach(*loop); });
  }
  ~Fixture() {
    on_loop([&] { rig.transport->close(); });
    loop->stop();
  }
  void on_loop(std::function<void()> task) {
    std::mutex mutex;
    std::condition_variable condition;
    bool done = false;
    loop->post([&] {
      task();
      const std::lock_guard lock(mutex);
      done = true;
      condition.notify_one();
    });
    std::unique_lock lock(mutex);
    condition.wait(lock, [&] { return done; });
  }
  TransferId start(Recorder& sink) {
    TransferId id = 0;
    on_loop([&] {
      id = rig.transport->start({.target = target,
                                 .secret_header = &secret,
                                 .header_lines = lines,
                                 .body = body,
                                 .limits = limits,
                                 .may_resend = may_resend},
                                sink);
      CHECK(sink.ends + sink.heads == 0);
    });
    on_loop([] {});  // what start() left for the next turn has run
    return id;
  }
};

}  // namespace byway::contract
