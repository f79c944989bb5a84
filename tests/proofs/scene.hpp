// Scene: a store, a server that counts, and afterwards what the ledger and the audit log say.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include <byway/router.hpp>

#include "store/scratch.hpp"
#include "support/loopback_server.hpp"

namespace byway::proofs {

using Numbers = std::map<std::int64_t, int>;

/// Answers every call after `work`, whole or streamed, and notes its number: the model "n-NUMBER".
class CountingServer {
 public:
  explicit CountingServer(std::chrono::milliseconds work);

  std::string url() const { return server_.url(); }
  /// How often each call was seen, once every connection is closed.
  Numbers seen() const;

 private:
  testing_support::Script answer(const testing_support::SeenRequest& request);

  const std::chrono::milliseconds work_;
  mutable std::mutex mutex_;
  Numbers seen_ = {};
  testing_support::LoopbackServer server_;
};

/// What is on disk after the last process is gone and its heir has been there.
struct Books {
  /// Requests that the key's month counts, durably.
  std::int64_t used = 0;
  /// Calls that the ledger has in doubt.
  std::int64_t doubts = 0;
  /// Of the key's in-flight share.
  std::int64_t still_in_flight = 0;
  /// By a call's number: records of the audit log.
  Numbers intents = {};
  Numbers outcomes = {};
  Numbers in_doubt = {};
  std::int64_t records = 0;
  /// Why the log does not verify; empty when it does.
  std::string problem = {};

  /// Whether the call's record has an end.
  bool has_end(std::int64_t number) const {
    return outcomes.contains(number) || in_doubt.contains(number);
  }
};

class Scene {
 public:
  /// The key may make `cap` calls a month, and its org ten more; 0 is no cap.
  Scene(std::int64_t cap, std::chrono::milliseconds work, bool is_strict = false);

  std::string store() const { return folder_ / "byway.db"; }
  const std::string& key() const noexcept { return key_; }
  CountingServer& server() noexcept { return server_; }
  /// Opens the store once more, so that the dead are buried, and reads.
  Books books() const;

 private:
  store::ScratchFolder folder_;
  CountingServer server_;
  std::string key_;
};

}  // namespace byway::proofs
