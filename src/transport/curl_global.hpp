// Initialises libcurl once per process, with memory that is wiped and left out of core dumps.
#pragma once

#include <byway/result.hpp>

namespace byway::transport {

/// Initialises libcurl unless it is already. It is never cleaned up: the application may use
/// libcurl too. *Safe from any thread.* Codes: internal_error.
Result<void> initialise_curl();

/// Whether libcurl takes its memory from Byway, which holds only when nobody initialised it before.
bool is_curl_memory_protected() noexcept;

}  // namespace byway::transport
