#include "cli/upstream_key.hpp"

#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>

#include "cli/interrupt.hpp"
#include "cli/output.hpp"

namespace byway::cli {
namespace {

constexpr std::size_t key_bytes_max = std::size_t{16} << 10;

/// Turns a terminal's echo off for as long as it lives.
class Silence {
 public:
  Silence() {
    is_on_ = is_terminal(STDIN_FILENO) && ::tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!is_on_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    note("upstream key (not shown): ");
  }
  Silence(const Silence&) = delete;
  ~Silence() { restore(); }
  bool is_on() const noexcept { return is_on_; }

 private:
  void restore() const {
    if (!is_on_) return;
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    note("\n");
  }

  bool is_on_ = false;
  termios before_{};
  Interrupt interrupt_{[this] {
    restore();
    ::_exit(exit_interrupted);
  }};
};

Error invalid(const char* message) {
  return Error(ErrorCode::vault_secret_invalid, message);
}

/// Straight into protected memory: no stream buffer keeps a copy.
Result<Secret> read_stdin() {
  Secret buffer = Secret::zeros(key_bytes_max);
  std::size_t size = 0;
  const Silence silence;
  while (size < buffer.size()) {
    const ssize_t count = ::read(STDIN_FILENO, buffer.mutable_bytes() + size, buffer.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return invalid("standard input cannot be read");
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
    if (silence.is_on() && buffer.mutable_bytes()[size - 1] == '\n') break;
  }
  if (size == buffer.size()) return invalid("standard input holds more than any key");
  if (size > 0 && buffer.mutable_bytes()[size - 1] == '\n') --size;
  if (size == 0) return invalid("standard input holds no key");
  return Secret::copy_of({buffer.mutable_bytes(), size});
}

}  // namespace

void add_key_options(CLI::App& command, KeyOptions& options, bool may_be_none) {
  const char* group = "Upstream key (never an argument)";
  auto* on_stdin =
      command.add_flag("--key-stdin", options.is_on_stdin, "Read it from standard input")
          ->group(group);
  auto* environment =
      command.add_option("--key-env", options.environment, "Read it from an environment variable")
          ->type_name("NAME")
          ->group(group)
          ->excludes(on_stdin);
  if (!may_be_none) return;
  command.add_flag("--no-key", options.is_none, "The server wants none")
      ->group(group)
      ->excludes(on_stdin)
      ->excludes(environment);
}

Result<UpstreamKey> UpstreamKey::read(const KeyOptions& options) {
  if (options.is_on_stdin) {
    Result<Secret> secret = read_stdin();
    if (!secret) return secret.error();
    return UpstreamKey(*std::move(secret));
  }
  if (options.environment.empty()) return UpstreamKey(Secret());
  const char* value = std::getenv(options.environment.c_str());
  if (value == nullptr || *value == '\0') {
    return Error(ErrorCode::vault_secret_invalid,
                 "the environment variable " + options.environment + " is not set");
  }
  return UpstreamKey(Secret::copy_of(value));
}

std::optional<std::string_view> UpstreamKey::view() const noexcept {
  if (secret_.is_empty()) return {};
  return secret_.expose_secret();
}

}  // namespace byway::cli
