#include <byway/testing/fake_transport.hpp>

#include <algorithm>
#include <map>

namespace byway::testing {

struct FakeTransport::Playing {
  TransferSink* sink = nullptr;
  Script steps = {};
  std::size_t next = 0;
  TransferLimits limits = {};
  bool is_connected = false;
  bool has_head = false;
  bool is_paused = false;
  bool is_waiting = false;
  int wire_copies = 0;
  /// Counts the limits that were set, so that an old alarm knows that it is old.
  std::uint64_t limit_count = 0;
};

/// What plays the scripts. Alarms of the loop hold it, so it outlives the transport by as much as
/// they do.
class FakeTransport::Driver : public std::enable_shared_from_this<Driver> {
 public:
  mutable std::mutex mutex;
  std::deque<Script> scripts;
  std::vector<SeenRequest> seen;
  int cancelled = 0;

  Loop* loop = nullptr;
  TransferId last_id = 0;
  std::map<TransferId, Playing> playing;

  TransferId start(const TransferRequest& request, TransferSink& sink) {
    const TransferId id = ++last_id;
    Playing& transfer = playing[id];
    transfer.sink = &sink;
    transfer.limits = request.limits;
    transfer.steps = take_script(request);
    const bool connects =
        transfer.steps.empty() || !std::holds_alternative<NeverConnect>(transfer.steps[0]);
    limit(id, connects ? std::chrono::milliseconds(0) : transfer.limits.connect,
          TransferFault::connect_timeout);
    loop->post([self = shared_from_this(), id] { self->play(id); });
    return id;
  }

  void play(TransferId id) {
    for (;;) {
      const auto found = playing.find(id);
      if (found == playing.end() || found->second.is_paused || found->second.is_waiting) return;
      Playing& transfer = found->second;
      if (transfer.next == transfer.steps.size()) return end(id, TransferFault::connect_failed);
      // A copy: the sink may cancel, which destroys the script.
      const Step step = transfer.steps[transfer.next++];
      if (!do_step(id, transfer, step)) return;
    }
  }

  void resume(TransferId id) {
    const auto found = playing.find(id);
    if (found == playing.end() || !found->second.is_paused) return;
    found->second.is_paused = false;
    limit(id, found->second.limits.stall, TransferFault::stall_timeout);
    loop->post([self = shared_from_this(), id] { self->play(id); });
  }

  void cancel(TransferId id) {
    if (playing.erase(id) == 0) return;
    const std::lock_guard lock(mutex);
    ++cancelled;
  }

 private:
  Script take_script(const TransferRequest& request) {
    SeenRequest record;
    record.url = request.target->url;
    record.method = request.method;
    for (const auto& [name, value] : request.target->headers)
      record.header_lines.push_back(name + ": " + value);
    for (const std::string_view line : request.header_lines) record.header_lines.emplace_back(line);
    for (const std::string_view piece : request.body) record.body.append(piece);
    record.has_secret = request.secret_header != nullptr && !request.secret_header->is_empty();
    const std::lock_guard lock(mutex);
    seen.push_back(std::move(record));
    if (scripts.empty()) return {};
    Script steps = std::move(scripts.front());
    scripts.pop_front();
    return steps;
  }

  /// Says whether the script goes on at once.
  bool do_step(TransferId id, Playing& transfer, const Step& step) {
    if (std::holds_alternative<NeverConnect>(step)) return false;
    if (!transfer.is_connected) {
      transfer.is_connected = true;
      // A script that fails before it was ever connected never put the request on the wire.
      const Fail* failure = std::get_if<Fail>(&step);
      const bool never_sent =
          failure != nullptr && (failure->fault == TransferFault::connect_failed ||
                                 failure->fault == TransferFault::dns_failed ||
                                 failure->fault == TransferFault::tls_failed ||
                                 failure->fault == TransferFault::address_blocked);
      if (!never_sent) transfer.wire_copies = 1;
      limit(id, transfer.limits.first_byte, TransferFault::first_byte_timeout);
    }
    if (const auto* head = std::get_if<SendHead>(&step)) return send_head(id, transfer, *head);
    if (const auto* body = std::get_if<SendBody>(&step)) return send_body(id, transfer, *body);
    if (const auto* failure = std::get_if<Fail>(&step)) return end(id, failure->fault), false;
    if (std::holds_alternative<Finish>(step)) return end(id, TransferFault::none), false;
    if (const auto* wait = std::get_if<Wait>(&step)) {
      transfer.is_waiting = true;
      loop->post_at(loop->clock().now() + wait->time, [self = shared_from_this(), id] {
        const auto found = self->playing.find(id);
        if (found == self->playing.end()) return;
        found->second.is_waiting = false;
        self->play(id);
      });
    }
    return false;
  }

  bool send_head(TransferId id, Playing& transfer, const SendHead& head) {
    transfer.has_head = true;
    limit(id, transfer.limits.stall, TransferFault::stall_timeout);
    std::vector<std::pair<std::string_view, std::string_view>> views(head.headers.begin(),
                                                                     head.headers.end());
    transfer.sink->on_head(TransferHead{head.status, views});
    return true;
  }

  bool send_body(TransferId id, Playing& transfer, const SendBody& body) {
    limit(id, transfer.limits.stall, TransferFault::stall_timeout);
    if (transfer.sink->on_body(body.bytes) == Flow::go) return true;
    const auto found = playing.find(id);
    if (found != playing.end()) {
      found->second.is_paused = true;
      ++found->second.limit_count;  // the stall limit stands still
    }
    return false;
  }

  void limit(TransferId id, std::chrono::milliseconds time, TransferFault fault) {
    const std::uint64_t count = ++playing[id].limit_count;
    if (time.count() <= 0) return;
    loop->post_at(loop->clock().now() + time, [self = shared_from_this(), id, count, fault] {
      const auto found = self->playing.find(id);
      if (found != self->playing.end() && found->second.limit_count == count) self->end(id, fault);
    });
  }

  void end(TransferId id, TransferFault fault) {
    const Playing transfer = std::move(playing[id]);
    playing.erase(id);
    const Sent sent = transfer.has_head          ? Sent::yes
                      : transfer.wire_copies > 0 ? Sent::maybe
                                                 : Sent::no;
    transfer.sink->on_end(TransferEnd{fault, sent, transfer.wire_copies, ""});
  }
};

FakeTransport::FakeTransport() : driver_(std::make_shared<Driver>()) {}
FakeTransport::~FakeTransport() = default;

FakeTransport& FakeTransport::script(Script steps) {
  const std::lock_guard lock(driver_->mutex);
  driver_->scripts.push_back(std::move(steps));
  return *this;
}

FakeTransport& FakeTransport::reply(int status, std::string body) {
  return script({SendHead{status, {{"content-type", "application/json"}}},
                 SendBody{std::move(body)}, Finish{}});
}

FakeTransport& FakeTransport::reply_events(std::vector<std::string> events) {
  Script steps{SendHead{200, {{"content-type", "text/event-stream"}}}};
  for (std::string& event : events)
    steps.emplace_back(SendBody{"data: " + std::move(event) + "\n\n"});
  steps.emplace_back(SendBody{"data: [DONE]\n\n"});
  steps.emplace_back(Finish{});
  return script(std::move(steps));
}

std::vector<SeenRequest> FakeTransport::requests() const {
  const std::lock_guard lock(driver_->mutex);
  return driver_->seen;
}

int FakeTransport::cancelled() const {
  const std::lock_guard lock(driver_->mutex);
  return driver_->cancelled;
}

void FakeTransport::attach(Loop& loop) {
  driver_->loop = &loop;
}

TransferId FakeTransport::start(const TransferRequest& request, TransferSink& sink) {
  return driver_->start(request, sink);
}

void FakeTransport::resume(TransferId id) {
  driver_->resume(id);
}
void FakeTransport::cancel(TransferId id) {
  driver_->cancel(id);
}
void FakeTransport::close() {
  driver_->playing.clear();
}

}  // namespace byway::testing
