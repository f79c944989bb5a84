// Sink: where a call's events and its one result go. Pending, coroutine and Stream are sinks;
// call.cpp knows no other word.
#pragma once

#include <memory>

#include <byway/response.hpp>
#include <byway/result.hpp>
#include <byway/stream_event.hpp>
#include <byway/transport.hpp>

namespace byway::router {

/// *Loop thread only.* Neither is called from inside libcurl's callbacks but for on_event.
class Sink {
 public:
  /// One event, valid during the call.
  virtual void on_event(const StreamEvent& event) = 0;
  /// Some events came, and for now there are no more. `pause` holds the upstream back until
  /// Call::resume().
  virtual Flow on_events_end() = 0;
  /// Exactly once, the last thing that is heard. On failure, `partial` is what a stream had folded.
  virtual void on_done(Result<Response> result, Reply partial) = 0;

 protected:
  ~Sink() = default;
};

}  // namespace byway::router
