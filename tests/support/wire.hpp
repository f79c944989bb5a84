// Wire: one accepted connection, plain or TLS, whose waiting ends when the server stops.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <string>
#include <string_view>

namespace byway::testing_support {

/// Why a step of a connection ended.
enum class Ending : unsigned char {
  done,
  peer_closed,
  /// We closed it, or the server stops.
  closed,
};

/// *One thread at a time.*
class Wire {
 public:
  /// Owns both; `ssl` may be null. `stop` becomes readable when the server stops.
  Wire(int fd, SSL* ssl, int stop) noexcept;
  Wire(const Wire&) = delete;
  ~Wire();

  /// Waits for bytes and appends them.
  Ending read(std::string& into);
  Ending write(std::string_view bytes);
  /// Lets time pass; ends early when the peer closes.
  Ending pause_until(std::chrono::steady_clock::time_point when);
  /// Closes with RST.
  void reset();
  void finish(bool says_goodbye);

 private:
  Ending wait(short events);
  /// What to make of a failed read or write: `done` means try again.
  Ending after_failure(int returned, short events);

  int fd_;
  SSL* ssl_;
  int stop_;
};

}  // namespace byway::testing_support
