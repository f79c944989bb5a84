#include "transport/response_head.hpp"

#include <algorithm>

namespace byway::transport {
namespace {

constexpr std::size_t bytes_max = std::size_t{64} << 10;
constexpr std::size_t lines_max = 100;

bool is_space(char byte) {
  return byte == ' ' || byte == '\t';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

void ResponseHead::clear() noexcept {
  text_.clear();
  lines_.clear();
  views_.clear();
  bytes_seen_ = 0;
  lines_seen_ = 0;
  status_ = 0;
  is_complete_ = has_length_ = false;
}

ResponseHead::State ResponseHead::begin(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || line.size() < space + 4) return State::malformed;
  int status = 0;
  for (const char digit : line.substr(space + 1, 3)) {
    if (digit < '0' || digit > '9') return State::malformed;
    status = status * 10 + (digit - '0');
  }
  text_.clear();
  lines_.clear();
  status_ = status;
  is_complete_ = has_length_ = false;
  return State::more;
}

ResponseHead::State ResponseHead::feed(std::string_view line) {
  bytes_seen_ += line.size();
  ++lines_seen_;
  if (bytes_seen_ > bytes_max || lines_seen_ > lines_max) return State::too_large;
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/") && (status_ == 0 || is_complete_ || status_ < 200)) {
    return begin(line);
  }
  if (is_complete_) return State::trailer;
  if (line.empty()) {
    if (status_ < 200 && status_ != 101) return State::more;
    is_complete_ = true;
    return State::complete;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos)
    return State::more;  // a folded line: its value is not one we read
  const std::string_view name = trimmed(line.substr(0, colon));
  const std::string_view value = trimmed(line.substr(colon + 1));
  Line entry{text_.size(), name.size(), text_.size() + name.size(), value.size()};
  text_.append(name).append(value);
  const auto from = text_.begin() + static_cast<std::ptrdiff_t>(entry.name);
  std::transform(from, from + static_cast<std::ptrdiff_t>(name.size()), from,
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  has_length_ |= std::string_view(&*from, name.size()) == "content-length";
  lines_.push_back(entry);
  return State::more;
}

TransferHead ResponseHead::head() {
  views_.clear();
  const std::string_view text = text_;
  for (const Line& line : lines_) {
    views_.emplace_back(text.substr(line.name, line.name_size),
                        text.substr(line.value, line.value_size));
  }
  return TransferHead{status_, views_};
}

}  // namespace byway::transport
