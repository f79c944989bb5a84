// Admission: the refusals that need no waiting, in the order that is promised.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <byway/request.hpp>
#include <byway/result.hpp>
#include <byway/router.hpp>

#include "registry/key_record.hpp"
#include "registry/snapshot.hpp"
#include "wire/json_scan.hpp"

namespace byway::router {

/// What admission found out of a request; `scan` holds places in Request::body.
struct Admitted {
  std::shared_ptr<const registry::Entry> entry;
  /// "byo:<slug>/<model>", of an alias the candidate that is called; "byo:<slug>" for `models`.
  std::string model_id;
  wire::RequestScan scan;
  /// The customer key that the call is made, limited and counted under; null for the owner.
  std::shared_ptr<const registry::KeyRecord> key;
  /// Empty when the key did not match.
  std::string org;
  /// What calls of this caller are held to; null when nothing was ever said of it.
  std::shared_ptr<const policy::LimitList> limits;
  /// The alias that was named, and whether its first candidate was passed over; null without.
  std::shared_ptr<const Alias> alias;
  bool is_fallback = false;
};

/// What admission may be told besides.
struct AdmissionOptions {
  /// Draws from a weighted alias; empty draws at random.
  std::string_view request_id = {};
  /// Gets the candidates of an alias that were passed over.
  std::vector<DroppedCandidate>* dropped = nullptr;
};

/// Steps 1 to 8 of the order of enforcement (governance section 4): body size, customer key and
/// its right to make calls, JSON and model id, the key's allowlist, endpoint, enabled, the
/// endpoint's allowlist, residency; then what the dialect offers. Of an alias the first candidate
/// that passes steps 4 to 8 for itself; when none does, the last one's refusal. A key learns
/// nothing of what its allowlist does not name. On a refusal `admitted` holds what was found before
/// it: the key once it matched, the
/// org, the alias, the model as it was asked. No I/O and no lock shared between callers.
Result<void> admit(Admitted& admitted, const RouterOptions& options,
                   const registry::Snapshot& snapshot, const Request& request, bool is_streamed,
                   AdmissionOptions with = {});

}  // namespace byway::router
