#include "cli/call_options.hpp"

#include <CLI/CLI.hpp>

namespace byway::cli {
namespace {

std::optional<std::chrono::milliseconds> milliseconds(std::optional<std::int64_t> count) {
  if (!count) return {};
  return std::chrono::milliseconds(*count);
}

}  // namespace

Timeouts CallOptions::timeouts() const {
  return {.connect = milliseconds(connect_ms),
          .first_byte = milliseconds(first_byte_ms),
          .first_token = milliseconds(first_token_ms),
          .stall = milliseconds(stall_ms),
          .total = milliseconds(total_ms)};
}

void add_timeout_options(CLI::App& command, CallOptions& options) {
  const auto add = [&](const char* name, std::optional<std::int64_t>& value, const char* what) {
    // A day: more is a mistake, and the sums of the event loop stay small.
    command.add_option(name, value, what)
        ->type_name("N")
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{86'400'000}).description(""))
        ->group("Time-outs (0 is none)");
  };
  add("--connect-ms", options.connect_ms, "Name, TCP and TLS together [5000]");
  add("--first-byte-ms", options.first_byte_ms, "Until the answer's head [120000]");
  add("--first-token-ms", options.first_token_ms, "Until a stream's first content [300000]");
  add("--stall-ms", options.stall_ms, "Between two pieces of the answer [60000]");
  add("--total-ms", options.total_ms, "The whole call, retries included [600000]");
}

void add_call_options(CLI::App& command, CallOptions& options) {
  add_timeout_options(command, options);
  command.add_option("--attempts", options.attempts, "Tries within the deadline [1]")
      ->type_name("N")
      ->check(CLI::Range(1, 100).description(""))
      ->group("Retries");
  command
      .add_flag("--retry-ambiguous", options.may_retry_ambiguous,
                "Also repeat a request that the server may have received")
      ->group("Retries");
}

}  // namespace byway::cli
