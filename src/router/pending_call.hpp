// PendingCall: a call whose one result is waited for, continued with, or awaited.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

#include <byway/pending.hpp>
#include <byway/response.hpp>

#include "router/call.hpp"
#include "router/model_filter.hpp"
#include "router/sink.hpp"

namespace byway {

/// What a Cancel holds on to: the call, not its result.
struct Cancel::Token {
  virtual void cancel() noexcept = 0;

 protected:
  ~Token() = default;
};

namespace router {

/// The call, its result, its continuation and its place in the inbox are one object: one
/// allocation.
class PendingCall final : public detail::PendingState<Response>,
                          public Cancel::Token,
                          public Sink,
                          private base::Task,
                          public std::enable_shared_from_this<PendingCall> {
 public:
  void submit(Router::Core& core, const Request& request, std::byte* states);

  Result<Response> wait() override;
  bool is_ready() const noexcept override;
  void on_done(std::function<void(Result<Response>)> continuation) override;
  Result<Response> take() override;
  void cancel(bool deliver) noexcept override;
  std::shared_ptr<Cancel::Token> token() override;

  void cancel() noexcept override { cancel(true); }

  void on_event(const StreamEvent&) override {}
  Flow on_events_end() override { return Flow::go; }
  void on_done(Result<Response> result, Reply partial) override;

 private:
  static constexpr unsigned has_result = 1;
  static constexpr unsigned has_continuation = 2;

  void run() noexcept override;
  void continue_with_result();
  void filter_models(Response& response) const;

  std::atomic<unsigned> state_{0};
  std::optional<Result<Response>> result_;
  std::function<void(Result<Response>)> continuation_;
  std::shared_ptr<PendingCall> posted_self_;
  std::shared_ptr<transport::EventLoop> loop_;
  std::uint32_t fork_generation_ = 0;
  bool is_list_ = false;
  /// Of a list of models; without one nothing is shown.
  std::optional<ModelFilter> filter_;
  Call call_;
};

}  // namespace router
}  // namespace byway
