#include "wire/sse_parser.hpp"

#include "wire/byte_search.hpp"

namespace byway::wire {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

}  // namespace

void SseParser::feed(std::string_view bytes) noexcept {
  rest_ = bytes;
  stream_bytes_ += bytes.size();
  if (stream_bytes_ > limits_.stream_max) fail(SseFault::stream_too_large);
}

void SseParser::finish() noexcept {
  rest_ = {};
  is_finished_ = true;
}

bool SseParser::fail(SseFault fault) noexcept {
  if (fault_ == SseFault::none) fault_ = fault;
  rest_ = {};
  return false;
}

const SseEvent* SseParser::next() {
  if (is_given_) reset_event();
  if (fault_ != SseFault::none) return nullptr;
  if (is_at_start_) skip_byte_order_mark();
  for (std::string_view line; take_line(line);) {
    if (!line.empty()) {
      take_field(line);
    } else if (const SseEvent* event = dispatch()) {
      return event;
    } else {
      reset_event();
    }
  }
  if (fault_ != SseFault::none) return nullptr;
  if (is_finished_) {
    return dispatch();
  }
  keep_data();
  return nullptr;
}

void SseParser::reset_event() noexcept {
  is_given_ = has_data_ = has_error_ = is_copied_ = false;
  data_ = {};
  type_.clear();
}

/// "If the stream's decode begins with a byte order mark, it is stripped": once, and it may come
/// byte by byte.
void SseParser::skip_byte_order_mark() {
  while (!rest_.empty() && mark_bytes_ < byte_order_mark.size()) {
    if (rest_.front() != byte_order_mark[mark_bytes_]) {
      line_.append(byte_order_mark.substr(0, mark_bytes_));
      break;
    }
    ++mark_bytes_;
    rest_.remove_prefix(1);
    if (mark_bytes_ == byte_order_mark.size()) break;
  }
  if (!rest_.empty() || mark_bytes_ == byte_order_mark.size()) is_at_start_ = false;
}

bool SseParser::take_line(std::string_view& line) {
  if (is_line_used_) {
    line_.clear();
    is_line_used_ = false;
  }
  if (is_after_return_ && !rest_.empty()) {
    if (rest_.front() == '\n') rest_.remove_prefix(1);
    is_after_return_ = false;
  }
  const char* end = rest_.data() + rest_.size();
  const char* at =
      find_byte(rest_.data(), end, [](auto byte) { return (byte == '\n') | (byte == '\r'); });
  const auto length = static_cast<std::size_t>(at - rest_.data());
  work_ += length + 1;
  if (line_.size() + length > limits_.line_max) return fail(SseFault::line_too_long);
  const std::string_view part = rest_.substr(0, length);
  if (at == end) {
    line_.append(part);
    rest_ = {};
    if (!is_finished_ || line_.empty()) return false;
    line = line_;
    is_line_used_ = true;
    return true;
  }
  is_after_return_ = *at == '\r';
  rest_.remove_prefix(length + 1);
  line = part;
  if (!line_.empty()) {
    line_.append(part);
    line = line_;
    is_line_used_ = true;
  }
  return true;
}

void SseParser::take_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == 0) return;
  const std::string_view name = line.substr(0, colon);
  std::string_view value;
  if (colon != std::string_view::npos) {
    value = line.substr(colon + 1);
    // At most one space; TGI sends none.
    if (value.starts_with(' ')) value.remove_prefix(1);
  }
  if (name == "data") {
    take_data(value);
  } else if (name == "event") {
    type_.assign(value);
  } else if (name == "id") {
    if (value.find('\0') == std::string_view::npos) id_.assign(value);
  } else if (name == "error") {
    has_error_ = true;
    take_data(value);
  }
}

void SseParser::take_data(std::string_view value) {
  work_ += value.size();
  if (!has_data_) {
    has_data_ = true;
    data_ = value;
    if (is_line_used_) keep_data();
  } else {
    keep_data();
    copied_ += '\n';
    copied_.append(value);
    data_ = copied_;
  }
  if (data_.size() > limits_.event_max) fail(SseFault::event_too_large);
}

void SseParser::keep_data() {
  if (!has_data_ || is_copied_) return;
  work_ += data_.size();
  copied_.assign(data_);
  data_ = copied_;
  is_copied_ = true;
}

const SseEvent* SseParser::dispatch() {
  is_given_ = true;
  // "If the data buffer is an empty string, set the event type buffer to the empty string and
  // return": a ping without data is no event.
  if (data_.empty()) return nullptr;
  event_ = {type_, data_, id_, has_error_};
  return &event_;
}

}  // namespace byway::wire
