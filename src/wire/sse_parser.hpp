// SseParser: bytes to server-sent events (WHATWG HTML 9.2.6).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace byway::wire {

/// One event; views live until the next call of the parser. `data` holds the data lines joined by
/// LF. A field named `error` (llama.cpp in 2025) counts as a data line and sets `is_error`.
struct SseEvent {
  std::string_view type = {};
  std::string_view data = {};
  /// The last event id of the stream.
  std::string_view id = {};
  bool is_error = false;
};

struct SseLimits {
  std::size_t line_max = std::size_t{1} << 20;
  std::size_t event_max = std::size_t{8} << 20;
  std::size_t stream_max = std::size_t{256} << 20;
};

enum class SseFault : std::uint8_t { none, line_too_long, event_too_large, stream_too_large };

/// A parser for one stream. Lines end with CR, LF or CRLF, split anywhere; one byte order mark at
/// the start is skipped; comments, unknown fields and events without data vanish. An event that
/// lies whole in the bytes of one feed() is given as views of them, otherwise from the parser's
/// buffer. Linear time. *One thread at a time.*
class SseParser {
 public:
  explicit SseParser(SseLimits limits = {}) noexcept : limits_(limits) {}

  /// Takes the next bytes, which must stay until next() has returned null. Only when the bytes of
  /// the last feed() are used up.
  void feed(std::string_view bytes) noexcept;
  /// No more bytes come: an event without its blank line is given by next() all the same (the
  /// folder judges whether it is whole).
  void finish() noexcept;
  /// The next event, or null when the bytes are used up or a limit was hit.
  const SseEvent* next();

  /// feed() and next() in one: calls `on_event(const SseEvent&)` for each event until it returns
  /// false, after which the parser drops the rest.
  template <class F>
  void feed(std::string_view bytes, F&& on_event) {
    feed(bytes);
    drain(on_event);
  }
  template <class F>
  void finish(F&& on_event) {
    finish();
    drain(on_event);
  }

  SseFault fault() const noexcept { return fault_; }
  /// Bytes that were looked at, over all calls: linear in the input, which a test holds.
  std::size_t work() const noexcept { return work_; }

 private:
  template <class F>
  void drain(F& on_event) {
    while (const SseEvent* event = next()) {
      if (!on_event(*event)) return stop();
    }
  }
  void stop() noexcept { rest_ = {}; }
  bool fail(SseFault fault) noexcept;
  void reset_event() noexcept;
  void skip_byte_order_mark();
  bool take_line(std::string_view& line);
  void take_field(std::string_view line);
  void take_data(std::string_view value);
  const SseEvent* dispatch();
  /// Copies what is a view of the bytes of this feed().
  void keep_data();

  SseLimits limits_;
  std::string_view rest_;
  /// The begin of a line whose end has not come yet.
  std::string line_;
  std::string_view data_;
  /// Where data_ points when it had to be copied: several lines, or bytes of an earlier feed().
  std::string copied_;
  std::string type_;
  std::string id_;
  SseEvent event_;
  std::size_t stream_bytes_ = 0;
  std::size_t work_ = 0;
  std::size_t mark_bytes_ = 0;
  SseFault fault_ = SseFault::none;
  bool is_at_start_ = true;
  bool is_after_return_ = false;
  bool is_line_used_ = false;
  bool has_data_ = false;
  bool has_error_ = false;
  bool is_copied_ = false;
  bool is_given_ = false;
  bool is_finished_ = false;
};

}  // namespace byway::wire
