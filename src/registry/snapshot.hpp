// Snapshot: all endpoints, customer keys and aliases as of one instant, immutable, read without
// locks.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <byway/endpoint.hpp>
#include <byway/request.hpp>
#include <byway/result.hpp>
#include <byway/secret.hpp>
#include <byway/transport.hpp>

#include "registry/access.hpp"
#include "wire/dialect.hpp"

namespace byway::registry {

/// Opens an endpoint's upstream key for one attempt: the whole header line ("Authorization: Bearer
/// <key>"), straight into protected memory. A Secret of the right size is written over. Codes:
/// vault_ciphertext_corrupt, vault_kek_wrong, vault_unknown_format, vault_memory. *Safe from any
/// thread.*
using OpenKey = std::function<Result<void>(Secret& header_line)>;

/// An endpoint as calls need it. Immutable, shared: a call in flight keeps its Entry, and with it
/// the key of the generation it began with.
class Entry {
 public:
  /// base_url and origin of `endpoint` become what the settings' base_url means. Codes: those of
  /// check_settings(), since another version may have written the row.
  static Result<std::shared_ptr<Entry>> make(Endpoint endpoint, OpenKey open_key);

  Endpoint endpoint;
  /// "byo:<slug>".
  std::string provider;
  /// A preset, or what the endpoint's settings make of one; good as long as the entry.
  const wire::Dialect& dialect;
  /// The endpoint's own, then the dialect's; absent where neither says anything.
  EndpointTimeouts timeouts;
  /// Empty when the endpoint has no key.
  OpenKey open_key;
  /// The endpoint's own; given by whoever loads the entry, and read by whoever counts.
  std::shared_ptr<const policy::LimitList> limits = {};

  /// Whether the endpoint's list names the model, or "*".
  bool allows_model(std::string_view upstream_model) const noexcept;

  /// How to reach the operation. One and the same Target for all calls, but for dialects whose path
  /// holds the model, which need one per call. Code: request_unsupported.
  Result<std::shared_ptr<const Target>> target(Operation operation,
                                               std::string_view upstream_model) const;

 private:
  Entry(Endpoint endpoint, std::shared_ptr<const wire::Dialect> dialect, OpenKey open_key);
  Result<void> make_targets();

  std::shared_ptr<const wire::Dialect> owned_dialect_;
  /// All but the URL.
  Target common_;
  /// By operation; null when not offered, or when the path holds the model.
  std::array<std::shared_ptr<const Target>, wire::operation_count> targets_;
};

/// *Safe from any thread.*
class Snapshot {
 public:
  Snapshot() = default;
  /// Of two entries of one org and slug the first stays.
  explicit Snapshot(std::vector<std::shared_ptr<const Entry>> entries, AccessRecords access = {});

  /// Null when there is none. A hash lookup without allocation; the reference is good as long as
  /// the snapshot.
  const std::shared_ptr<const Entry>& find(std::string_view org,
                                           std::string_view slug) const noexcept;
  /// By slug.
  std::vector<std::shared_ptr<const Entry>> list(std::string_view org) const;
  /// All of them, by org and slug.
  const std::vector<std::shared_ptr<const Entry>>& entries() const noexcept { return entries_; }
  const Access& access() const noexcept { return access_; }

 private:
  /// Views into the entries.
  using Place = std::pair<std::string_view, std::string_view>;
  struct HashPlace {
    std::size_t operator()(const Place& place) const noexcept;
  };

  std::vector<std::shared_ptr<const Entry>> entries_;
  std::unordered_map<Place, std::size_t, HashPlace> places_;
  Access access_;
};

/// Where the newest snapshot is read. std::atomic<std::shared_ptr> of libstdc++ 12 reports races,
/// so each thread keeps its own copy and compares one atomic version; it takes the mutex only when
/// that differs. *Safe from any thread.*
class SnapshotCell {
 public:
  /// Holds an empty snapshot.
  SnapshotCell();
  SnapshotCell(const SnapshotCell&) = delete;

  void publish(std::shared_ptr<const Snapshot> snapshot);

  /// Never null. The caller's own: its count of references is one that this thread shares with
  /// nobody else's reads. A thread keeps the last snapshot it saw until it reads again or ends.
  std::shared_ptr<const Snapshot> current() const;

 private:
  struct Seen;
  void refresh(Seen& seen) const;

  /// Tells apart the cells that a thread has seen; never reused.
  const std::uint64_t id_;
  std::atomic<std::uint64_t> version_{1};
  /// Ends with the cell; threads drop what they saw of ended cells.
  std::shared_ptr<const void> alive_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> newest_;
};

}  // namespace byway::registry
