// KeptHead: the header lines of an answer, kept in one string.
#pragma once

#include <string>
#include <string_view>

#include <byway/transport.hpp>

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
  void clear() noexcept {
    status_ = 0;
    text_.clear();
  }
  int status() const noexcept { return status_; }

  /// Calls `visit(name, value)` for each line.
  template <class F>
  void for_each(F visit) const {
    for (std::string_view rest = text_; !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(line.size() + 1);
      const std::size_t colon = line.find(':');
      visit(line.substr(0, colon), line.substr(colon + 1));
    }
  }

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
