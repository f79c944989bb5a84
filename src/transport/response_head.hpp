// ResponseHead: collects the header lines of an answer, bounded.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <byway/transport.hpp>

namespace byway::transport {

/// Takes header lines as they come and gives names in lower case and trimmed values. Interim
/// answers (1xx) are forgotten when the next status line comes. Bounds: 64 KiB and 100 lines over
/// all heads of one exchange.
class ResponseHead {
 public:
  enum class State : std::uint8_t { more, complete, trailer, too_large, malformed };

  void clear() noexcept;
  /// One line with or without its line end. `complete` is told once, at the blank line of a final
  /// answer; lines after it are `trailer`.
  State feed(std::string_view line);
  int status() const noexcept { return status_; }
  bool is_complete() const noexcept { return is_complete_; }
  /// Whether a Content-Length says how long the body is.
  bool has_length() const noexcept { return has_length_; }
  /// Views live until the next feed() or clear().
  TransferHead head();

 private:
  struct Line {
    std::size_t name, name_size, value, value_size;
  };
  State begin(std::string_view line);

  std::string text_;
  std::vector<Line> lines_;
  std::vector<std::pair<std::string_view, std::string_view>> views_;
  std::size_t bytes_seen_ = 0;
  std::size_t lines_seen_ = 0;
  int status_ = 0;
  bool is_complete_ = false;
  bool has_length_ = false;
};

}  // namespace byway::transport
