// CallRecord: everything a call came to, as one JSON object on one line.
#pragma once

#include <string>

#include <byway/request.hpp>
#include <byway/response.hpp>
#include <byway/result.hpp>

namespace byway::cli {

/// {"code","class","cause","status","message","retryable","sent","retry_after_ms"}; `class`,
/// `cause` and `status` (the upstream's) are null where there is none.
std::string record_error(const Error& error);

/// The record of docs/guide/cli.md. `partial` is what had arrived when the call failed.
std::string call_record(Operation operation, const Result<Response>& result, const Reply& partial);

}  // namespace byway::cli
