// Plan: what every attempt of a call shares, made once from an admitted request.
#pragma once

#include <string>

#include <byway/request.hpp>
#include <byway/router.hpp>

#include "router/admission.hpp"
#include "router/attempt.hpp"

namespace byway::router {

/// The limits of one call, each one given: call over endpoint over options over default.
Timeouts effective_timeouts(const Timeouts& call, const EndpointTimeouts& endpoint,
                            const Timeouts& options);

/// Copies the body and the caller's headers, notes the edits of the body, chooses target and
/// limits. Codes: request_header_invalid, request_header_reserved, request_unsupported,
/// registry_field_invalid.
Result<void> plan_attempts(AttemptPlan& plan, const RouterOptions& options, const Request& request,
                           Admitted admitted, bool is_streamed, const Timeouts& timeouts);

/// Puts another body in the place of the admitted one; on an error nothing has changed. Codes:
/// those of wire::scan_request() and wire::edit_request().
Result<void> replace_body(AttemptPlan& plan, std::string body);

/// One sentence for people: what failed, where, and what to do about it.
std::string describe(const wire::UpstreamFailure& failure, std::string_view provider,
                     std::string_view model);

}  // namespace byway::router
