// Player: a loopback server that plays transcripts and checks what it was sent.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "wire/player/transcript.hpp"

namespace byway::wire_player {

/// How the bytes of an answer are cut into writes. "written" keeps the transcript's own writes and
/// pauses; the others join what stands between two requests, pauses left out.
/// "one": one write. "bytes": one for each byte. "random<seed>": 1 to 40 bytes each.
using Way = std::string;

/// The same answer, cut another way.
std::vector<Action> cut(const std::vector<Action>& answer, std::string_view way);

/// What was seen of one play.
struct Seen {
  int requests = 0;
  int connections = 0;
  std::vector<std::string> faults = {};
};

struct PlayerOptions {
  int port = 0;
  std::shared_ptr<const testing_support::Authority> tls = {};
  /// Begins again when a play is over and its transcript is asked for once more.
  bool repeats = false;
};

/// A request chooses its play by the header `x-wire: NAME[:WAY]`, or by a first path segment
/// /NAME[:WAY]/, which is taken off. Plays of the same name and way share one state. *Safe from
/// any thread.*
class Player {
 public:
  Player(std::vector<Run> runs, PlayerOptions options);

  const std::vector<Run>& runs() const noexcept { return runs_; }
  std::string url(std::string_view path) const { return server_->url(path); }
  int port() const noexcept { return server_->port(); }
  /// What has been seen of this play since the last call of this.
  Seen take_seen(const std::string& play);
  /// What went wrong in any play, and requests that chose none.
  std::vector<std::string> faults() const;
  /// Waits until no connection is open.
  bool waits_for_idle(std::chrono::milliseconds limit) const;
  /// How many connected where a redirect pointed.
  int strays() const { return stray_.counts().connections; }

 private:
  struct Place {
    std::size_t connection = 0;
    std::size_t exchange = 0;
  };
  struct Play {
    const Run* run = nullptr;
    std::string way = {};
    Seen seen = {};
    std::map<int, Place> places = {};
  };

  testing_support::Script answer(const SeenRequest& request);
  Play* play_of(const SeenRequest& request, std::string& path);
  const Exchange* next_exchange(Play& play, int connection);
  std::string with_variables(std::string text) const;

  std::vector<Run> runs_;
  bool repeats_ = false;
  mutable std::mutex mutex_;
  std::map<std::string, Play> plays_;
  std::vector<std::string> faults_;
  testing_support::LoopbackServer stray_;
  std::unique_ptr<testing_support::LoopbackServer> server_;
};

/// Why the request is not as it must be; empty when it is.
std::vector<std::string> check_request(const Exchange& exchange, const SeenRequest& request,
                                       std::string_view path);

}  // namespace byway::wire_player
