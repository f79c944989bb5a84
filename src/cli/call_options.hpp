// CallOptions: time-outs and attempts of one call, as flags.
#pragma once

#include <cstdint>
#include <optional>

#include <byway/request.hpp>

namespace CLI {
class App;
}

namespace byway::cli {

struct CallOptions {
  std::optional<std::int64_t> connect_ms = {};
  std::optional<std::int64_t> first_byte_ms = {};
  std::optional<std::int64_t> first_token_ms = {};
  std::optional<std::int64_t> stall_ms = {};
  std::optional<std::int64_t> total_ms = {};
  int attempts = 1;
  bool may_retry_ambiguous = false;

  Timeouts timeouts() const;
};

void add_timeout_options(CLI::App& command, CallOptions& options);
/// The time-outs, --attempts and --retry-ambiguous.
void add_call_options(CLI::App& command, CallOptions& options);

}  // namespace byway::cli
