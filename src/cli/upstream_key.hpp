// UpstreamKey: reads an endpoint's key, which is never an argument: those are seen by everybody.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <byway/result.hpp>
#include <byway/secret.hpp>

namespace CLI {
class App;
}

namespace byway::cli {

struct KeyOptions {
  bool is_on_stdin = false;
  std::string environment = {};
  bool is_none = false;

  bool is_given() const noexcept { return is_on_stdin || !environment.empty(); }
};

/// --key-stdin and --key-env, and --no-key where the endpoint may do without.
void add_key_options(CLI::App& command, KeyOptions& options, bool may_be_none);

class UpstreamKey {
 public:
  /// Reads the key from where the options say; without any, is_empty(). A terminal is asked
  /// without echo. Codes: vault_secret_invalid.
  static Result<UpstreamKey> read(const KeyOptions& options);

  bool is_empty() const noexcept { return secret_.is_empty(); }
  /// For Admin; valid as long as this.
  std::optional<std::string_view> view() const noexcept;

 private:
  explicit UpstreamKey(Secret secret) noexcept : secret_(std::move(secret)) {}

  Secret secret_;
};

}  // namespace byway::cli
