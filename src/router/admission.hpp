// Admission: the refusals that need no waiting, in the order that is promised.
#pragma once

#include <memory>
#include <string>

#include <byway/request.hpp>
#include <byway/result.hpp>
#include <byway/router.hpp>

#include "registry/snapshot.hpp"
#include "wire/json_scan.hpp"

namespace byway::router {

/// What admission found out of a request; `scan` holds places in Request::body.
struct Admitted {
  std::shared_ptr<const registry::Entry> entry;
  std::string upstream_model;
  wire::RequestScan scan;
};

/// Steps 1 to 8 of the order of enforcement (governance section 4): body size, customer key, JSON
/// and model id, endpoint, enabled, endpoint's allowlist; then what the dialect offers. No I/O and
/// no lock shared between callers.
Result<Admitted> admit(const RouterOptions& options, const registry::Snapshot& snapshot,
                       const Request& request, bool is_streamed);

}  // namespace byway::router
