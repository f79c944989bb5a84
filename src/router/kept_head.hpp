// KeptHead: the header lines of an answer, kept in one string.
#pragma once

#include <string>
#include <string_view>

#include <byway/transport.hpp>

#include "wire/http_headers.hpp"

namespace byway::router {

/// Names are lower case. Lines are "name:value\n"; neither can hold a line feed.
class KeptHead {
 public:
  void keep(const TransferHead& head) {
    status_ = head.status;
    text_.clear();
    std::size_t size = 0;
    for (const auto& [name, value] : head.headers) size += name.size() + value.size() + 2;
    text_.reserve(size);
    for (const auto& [name, value] : head.headers) {
      text_.append(name).append(":").append(value).append("\n");
    }
  }
  /// Leaves out the lines with which Byway tells of a call: no server speaks for it.
  void leave_out(std::string_view own_prefix) {
    for (std::size_t at = 0; at < text_.size();) {
      const std::size_t next = text_.find('\n', at) + 1;
      const std::string_view line = std::string_view(text_).substr(at, next - at);
      const bool is_own = line.starts_with(own_prefix) || wire::is_byway_header(line);
      if (is_own) text_.erase(at, next - at);
      if (!is_own) at = next;
    }
  }
  void clear() noexcept {
    status_ = 0;
    text_.clear();
  }
  int status() const noexcept { return status_; }

  /// The value of the first line of that name, empty for none.
  std::string_view value(std::string_view name) const noexcept {
    for (std::string_view rest = text_; !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(line.size() + 1);
      const bool is_named = line.size() > name.size() && line[name.size()] == ':';
      if (is_named && line.starts_with(name)) return line.substr(name.size() + 1);
    }
    return {};
  }

 private:
  int status_ = 0;
  std::string text_;
};

}  // namespace byway::router
