// FakeTransport: plays scripted answers instead of using a network.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <byway/transport.hpp>

namespace byway::testing {

/// What a scripted upstream does next.
struct SendHead {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
};
struct SendBody {
  std::string bytes = {};
};
/// The answer is complete.
struct Finish {};
/// The connection ends here; before a head it was never answered.
struct Fail {
  TransferFault fault = TransferFault::cut;
};
/// Waits on the router's clock.
struct Wait {
  std::chrono::milliseconds time = {};
};
/// Says nothing more until the caller gives up or a limit is reached.
struct Hold {};
/// The connection is never made: only the connect limit ends it.
struct NeverConnect {};

using Step = std::variant<SendHead, SendBody, Finish, Fail, Wait, Hold, NeverConnect>;
using Script = std::vector<Step>;

/// A request as the upstream saw it. The upstream key is not kept: has_secret tells that there was
/// one.
struct SeenRequest {
  std::string url = {};
  Method method = Method::post;
  std::vector<std::string> header_lines = {};
  std::string body = {};
  bool has_secret = false;
};

/// Answers the n-th request with the n-th script; a request without a script fails with
/// connect_failed. Keeps the same limits, pauses and endings as the real transport, by the router's
/// clock, without sockets. Scripts are added and requests read from any thread; give it to
/// RouterOptions::transport. It serves one router.
class FakeTransport final : public Transport {
 public:
  FakeTransport();
  ~FakeTransport() override;

  FakeTransport& script(Script steps);
  /// A whole JSON answer.
  FakeTransport& reply(int status, std::string body);
  /// Server-sent events: each text becomes one `data:` event, then `data: [DONE]`.
  FakeTransport& reply_events(std::vector<std::string> events);

  std::vector<SeenRequest> requests() const;
  /// Transfers that were cancelled, as an upstream sees closed connections.
  int cancelled() const;

  void attach(Loop& loop) override;
  TransferId start(const TransferRequest& request, TransferSink& sink) override;
  void resume(TransferId id) override;
  void cancel(TransferId id) override;
  void close() override;

 private:
  struct Playing;
  class Driver;
  std::shared_ptr<Driver> driver_;
};

}  // namespace byway::testing
