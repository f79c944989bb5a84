// The signed head: its line, and the file that holds it.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <system_error>
#include <utility>

#include "base/audit_bytes.hpp"
#include "base/digest.hpp"
#include "store/audit_chain.hpp"
#include "store/file_system.hpp"

namespace byway::store {
namespace {

constexpr std::string_view word = "byway-audit-head-1";

std::string mac_of(std::string_view text, const AuditKey& key) {
  const std::string_view bytes(reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size());
  const base::Sha256 mac = base::hmac_sha256(bytes, text);
  return base::hex_of({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

/// Takes " name=value" off the front.
std::optional<std::string_view> take(std::string_view& text, std::string_view name) {
  if (!text.starts_with(' ')) return {};
  text.remove_prefix(1);
  if (!text.starts_with(name) || text.substr(name.size(), 1) != "=") return {};
  text.remove_prefix(name.size() + 1);
  const std::string_view value = text.substr(0, text.find(' '));
  text.remove_prefix(value.size());
  return value;
}

bool take_number(std::string_view& text, std::string_view name, auto& number) {
  const auto value = take(text, name);
  if (!value) return false;
  const auto [end, fault] = std::from_chars(value->data(), value->data() + value->size(), number);
  return fault == std::errc() && end == value->data() + value->size();
}

bool take_text(std::string_view& text, std::string_view name, std::string& out) {
  const auto value = take(text, name);
  if (value) out = *value;
  return value.has_value();
}

Error head_error(std::string_view what, const std::string& path) {
  const int number = errno;
  const ErrorCode code = number == ENOSPC ? ErrorCode::store_disk_full : ErrorCode::store_io_error;
  return Error(code, fmt::format("{} {}: {}", what, path, std::generic_category().message(number)));
}

}  // namespace

AuditHead sign_head(const AuditState& state, const AuditKey& key, std::int64_t at_us) {
  AuditHead head;
  head.log = base::hex_of(state.log);
  head.seq = state.seq;
  head.count = state.seq - state.cut_seq;
  head.at_us = at_us;
  head.key_version = key.version;
  head.hash = base::hex_of(state.hash);
  head.line = fmt::format("{} log={} seq={} count={} at_us={} key={} hash={}", word, head.log,
                          head.seq, head.count, head.at_us, head.key_version, head.hash);
  head.line += " mac=" + mac_of(head.line, key);
  return head;
}

std::optional<AuditHead> read_head(std::string_view line, const AuditKey& key) {
  AuditHead head;
  std::string_view rest = line;
  if (!rest.starts_with(word)) return {};
  rest.remove_prefix(word.size());
  const bool is_read =
      take_text(rest, "log", head.log) && take_number(rest, "seq", head.seq) &&
      take_number(rest, "count", head.count) && take_number(rest, "at_us", head.at_us) &&
      take_number(rest, "key", head.key_version) && take_text(rest, "hash", head.hash);
  if (!is_read || head.key_version != key.version) return {};
  const std::string_view signed_text = line.substr(0, line.size() - rest.size());
  std::string mac;
  if (!take_text(rest, "mac", mac) || !rest.empty()) return {};
  if (!base::is_equal(mac, mac_of(signed_text, key))) return {};
  head.line = line;
  return head;
}

std::string head_file_of(const std::string& store) {
  return store + ".head";
}

std::optional<std::string> read_head_file(const std::string& store) {
  const int fd = ::open(head_file_of(store).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return {};
  std::array<char, 512> bytes{};
  const ssize_t size = ::read(fd, bytes.data(), bytes.size());
  ::close(fd);
  std::string line(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  if (line.ends_with('\n')) line.pop_back();
  return line;
}

/// Synced before it is renamed, or a power loss could leave an empty head where a good one was.
/// That the new name may be lost does no harm: the older head is one that the log holds as well.
Result<void> AuditChain::write_head(const AuditHead& head) {
  const std::string path = head_file_of(store_);
  const std::string next = path + ".new";
  const int fd = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return head_error("cannot write", next);
  const std::string text = head.line + "\n";
  const bool is_written =
      ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fdatasync(fd) == 0;
  if (!is_written) {
    Error failed = head_error("cannot write", next);
    ::close(fd);
    return failed;
  }
  ::close(fd);
  if (::rename(next.c_str(), path.c_str()) != 0) return head_error("cannot rename", next);
  written_ = head.line;
  if (listener_.on_head) listener_.on_head(head);
  return {};
}

}  // namespace byway::store
