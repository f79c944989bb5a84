// Attempt: one try of a call on one endpoint: encode, send, read, judge.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <byway/request.hpp>
#include <byway/response.hpp>
#include <byway/stream_event.hpp>
#include <byway/transport.hpp>

#include "registry/snapshot.hpp"
#include "router/kept_head.hpp"
#include "router/opened_keys.hpp"
#include "router/token_line.hpp"
#include "wire/body_shape.hpp"
#include "wire/failure.hpp"
#include "wire/json_splice.hpp"
#include "wire/sse_parser.hpp"
#include "wire/stream_fold.hpp"

namespace byway::router {

/// What all attempts of a call share. Views point into its own strings, so it stays where it is.
struct AttemptPlan {
  std::shared_ptr<const registry::Entry> entry = {};
  std::shared_ptr<const Target> target = {};
  Operation operation = Operation::chat;
  bool is_streamed = false;
  /// Events go to the owner as the server sent them, and not as stream events.
  bool has_event_hooks = false;
  std::string model_id = {};
  /// Of model_id.
  std::string_view upstream_model = {};
  /// The admitted body: the one copy that is kept. `edited` views it.
  std::string body = {};
  /// What was found in the body, places included.
  wire::RequestScan scan = {};
  wire::Splice edited = {};
  std::string header_text = {};
  std::vector<std::string_view> header_lines = {};
  TransferLimits limits = {};
  bool may_resend = false;
  std::size_t reply_bytes_max = 0;
  std::size_t event_bytes_max = 0;
  /// Of the dialect: what the body asks and the server will not heed.
  std::vector<std::string_view> ignored = {};
  /// The application's source of tokens, for an endpoint without a key; null for none.
  const TokenSource* token = nullptr;
  bool is_token_refused = false;
};

/// How an attempt ended. Without a failure the reply is there to be taken.
struct AttemptEnd {
  std::optional<wire::UpstreamFailure> failure = {};
  Sent sent = Sent::no;
  int wire_copies = 0;
};

/// Who runs attempts. *Loop thread only.*
class AttemptOwner {
 public:
  /// One event of a streamed call, from inside the transport's callback.
  virtual void on_attempt_event(const StreamEvent& event) = 0;
  /// With plan.has_event_hooks, instead of the former and for a call that is not streamed too; a
  /// whole reply may be changed. False ends the attempt, without a failure of the upstream's.
  virtual bool on_attempt_bytes(const wire::SseEvent& event) = 0;
  virtual bool on_attempt_whole(std::string& body) = 0;
  /// The bytes at hand are read.
  virtual Flow on_attempt_pieces_end() = 0;
  /// The verdict, once. `is_inside` says that this comes from inside the transport's callback and
  /// that the transfer still runs, since its end was told before its last byte.
  virtual void on_attempt_end(AttemptEnd end, bool is_inside) = 0;
  /// A transfer that ran on after the verdict has ended, or one that could not be cancelled.
  virtual void on_attempt_drained() = 0;

 protected:
  ~AttemptOwner() = default;
};

class Attempt final : private TransferSink {
 public:
  explicit Attempt(AttemptOwner& owner) noexcept : owner_(owner) {}

  /// Sends. Fails when the endpoint's key does not open; nothing is heard of the attempt then.
  Result<void> start(const AttemptPlan& plan, Transport& transport, OpenedKeys& keys,
                     const Clock& clock);
  void resume();
  /// Closes the connection; nothing more is heard, unless is_running() stays true: then
  /// on_attempt_drained comes.
  void cancel();
  /// Ends the attempt as timed out; the verdict comes from inside this call.
  void time_out(std::string_view cause);

  bool is_running() const noexcept { return is_running_; }
  bool has_content() const noexcept { return has_content_; }
  int wire_copies() const noexcept { return wire_copies_; }
  Sent sent() const noexcept { return sent_; }
  const KeptHead& head() const noexcept { return head_; }
  /// Our own time spent since start(); nothing waited for is in it.
  std::chrono::nanoseconds overhead() const noexcept { return overhead_; }

  /// Moves out what was read: the body of a whole reply, or what a stream was folded to.
  std::string take_body() { return std::move(body_); }
  KeptHead take_head() { return std::move(head_); }
  std::unique_ptr<Reply> take_reply();
  /// What a good whole answer said, before any hook; null without one.
  const wire::AnswerHead* answer_head() const noexcept {
    return answer_head_ ? &*answer_head_ : nullptr;
  }

 private:
  void on_head(const TransferHead& head) override;
  Flow on_body(std::string_view bytes) override;
  void on_end(const TransferEnd& end) override;

  void choose_shape();
  Flow read_whole();
  Flow read_events(std::string_view bytes);
  bool read_event(const wire::SseEvent& event);
  void finish_events(wire::BytesEnd how, bool is_inside);
  void stop();
  void finish_whole();
  void deliver_as_event();
  void mask_key(std::string& text) const;
  wire::UpstreamFailure failure_of(const TransferEnd& end) const;
  void decide(std::optional<wire::UpstreamFailure> failure, bool is_inside);

  AttemptOwner& owner_;
  const AttemptPlan* plan_ = nullptr;
  Transport* transport_ = nullptr;
  const Clock* clock_ = nullptr;
  TransferId transfer_ = 0;
  bool is_running_ = false;
  bool is_decided_ = false;
  bool has_content_ = false;
  bool has_model_ = false;
  /// The owner wants no more.
  bool is_stopped_ = false;
  wire::BodyShape shape_ = wire::BodyShape::unknown;
  Sent sent_ = Sent::no;
  int wire_copies_ = 0;
  std::shared_ptr<const Secret> secret_header_;
  KeptHead head_;
  std::string body_;
  std::optional<wire::AnswerHead> answer_head_;
  std::optional<wire::SseParser> parser_;
  std::optional<wire::StreamFold> fold_;
  std::unique_ptr<Reply> reply_;
  std::chrono::nanoseconds overhead_{};
};

}  // namespace byway::router
