#include "base/audit_bytes.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "base/json_quote.hpp"
#include "base/time_text.hpp"

namespace byway {
namespace {

constexpr char version = 1;
constexpr std::size_t org_bytes_max = 64;
/// Two for version and kind, three for each length, ten for each number.
constexpr std::size_t bytes_max = 2 + 1024 + 13 * 3 + 16 * 10;

class Writer {
 public:
  Writer(char* at, std::size_t size) noexcept : start_(at), at_(at), end_(at + size) {}

  void byte(char value) noexcept {
    if (at_ == end_) return fail();
    *at_++ = value;
  }
  void number(std::int64_t value) noexcept {
    auto rest = static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
    for (; rest > 0x7F; rest >>= 7) byte(static_cast<char>(rest | 0x80));
    byte(static_cast<char>(rest));
  }
  void text(std::string_view value, std::size_t most) noexcept {
    std::size_t size = std::min(value.size(), most);
    // Not in the middle of a character.
    while (size < value.size() && size > 0 && (value[size] & 0xC0) == 0x80) --size;
    number(static_cast<std::int64_t>(size));
    if (static_cast<std::size_t>(end_ - at_) < size) return fail();
    if (size != 0) std::memcpy(at_, value.data(), size);
    at_ += size;
  }
  std::size_t written() const noexcept {
    return is_good_ ? static_cast<std::size_t>(at_ - start_) : 0;
  }

 private:
  void fail() noexcept {
    is_good_ = false;
    at_ = start_;
  }
  char* start_;
  char* at_;
  char* end_;
  bool is_good_ = true;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) noexcept : rest_(bytes) {}

  char byte() noexcept {
    if (rest_.empty()) return fail();
    const char value = rest_.front();
    rest_.remove_prefix(1);
    return value;
  }
  std::int64_t number() noexcept {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 63; shift += 7) {
      const auto part = static_cast<unsigned char>(byte());
      value |= std::uint64_t{part & 0x7FU} << shift;
      if ((part & 0x80) == 0) return static_cast<std::int64_t>(value);
    }
    return fail();
  }
  std::string_view text(std::size_t most) noexcept {
    const auto size = static_cast<std::size_t>(number());
    if (size > most || size > rest_.size()) return fail(), std::string_view();
    const std::string_view value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value;
  }
  bool is_good() const noexcept { return is_good_; }
  bool is_done() const noexcept { return is_good_ && rest_.empty(); }

 private:
  char fail() noexcept {
    is_good_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool is_good_ = true;
};

bool read_kind_and_time(Reader& reader, AuditKind& kind, std::int64_t& at_us) noexcept {
  if (reader.byte() != version) return false;
  const auto number = static_cast<std::uint8_t>(reader.byte());
  if (number < 1 || number > static_cast<std::uint8_t>(AuditKind::cut)) return false;
  kind = static_cast<AuditKind>(number);
  at_us = reader.number();
  return true;
}

}  // namespace

std::string_view name_of(AuditKind kind) noexcept {
  switch (kind) {
    case AuditKind::intent: return "intent";
    case AuditKind::outcome: return "outcome";
    case AuditKind::in_doubt: return "in_doubt";
    case AuditKind::change: return "change";
    case AuditKind::gap: return "gap";
    case AuditKind::cut: return "cut";
  }
  return "";
}

std::string to_json(const AuditRecord& record) {
  std::string out = "{\"seq\":" + std::to_string(record.seq) + ",\"kind\":\"";
  out += name_of(record.kind);
  out += "\",\"at\":\"" + base::rfc3339(base::wall_time_of(record.at_us)) +
         "\",\"at_us\":" + std::to_string(record.at_us);
  AuditRecord::each_text(record, [&](const char* name, const std::string& text, std::size_t) {
    if (text.empty()) return;
    out += std::string(",\"") + name + "\":";
    base::append_json_quoted(out, text);
  });
  const bool is_usage = record.kind == AuditKind::outcome || record.kind == AuditKind::in_doubt;
  if (is_usage) out += ",\"billing\":\"upstream\"";
  AuditRecord::each_number(record, [&](const char* name, std::int64_t number) {
    if (number != 0) out += std::string(",\"") + name + "\":" + std::to_string(number);
  });
  return out + ",\"hash\":\"" + record.hash + "\"}";
}

namespace base {

std::size_t encode_audit(const AuditFields& fields, char* room, std::size_t size) noexcept {
  Writer writer(room, size);
  writer.byte(version);
  writer.byte(static_cast<char>(fields.kind));
  writer.number(fields.at_us);
  AuditFields::each_text(fields, [&](const char*, std::string_view text, std::size_t most) {
    writer.text(text, most);
  });
  AuditFields::each_number(fields, [&](const char*, std::int64_t value) { writer.number(value); });
  return writer.written();
}

std::string encode_audit(const AuditFields& fields) {
  std::array<char, bytes_max> room;
  return {room.data(), encode_audit(fields, room.data(), room.size())};
}

std::optional<AuditStart> decode_audit_start(std::string_view bytes) noexcept {
  Reader reader(bytes);
  AuditStart start;
  if (!read_kind_and_time(reader, start.kind, start.at_us)) return {};
  start.org = reader.text(org_bytes_max);
  if (!reader.is_good()) return {};
  return start;
}

std::optional<AuditFields> decode_audit(std::string_view bytes) noexcept {
  Reader reader(bytes);
  AuditFields fields;
  if (!read_kind_and_time(reader, fields.kind, fields.at_us)) return {};
  AuditFields::each_text(fields, [&](const char*, std::string_view& text, std::size_t most) {
    text = reader.text(most);
  });
  AuditFields::each_number(fields,
                           [&](const char*, std::int64_t& value) { value = reader.number(); });
  if (!reader.is_done()) return {};
  return fields;
}

AuditRecord to_record(const AuditFields& fields) {
  AuditRecord record;
  record.kind = fields.kind;
  record.at_us = fields.at_us;
  std::array<std::string_view, 16> texts;
  std::size_t count = 0;
  AuditFields::each_text(
      fields, [&](const char*, std::string_view text, std::size_t) { texts[count++] = text; });
  count = 0;
  AuditRecord::each_text(
      record, [&](const char*, std::string& text, std::size_t) { text = texts[count++]; });
  std::array<std::int64_t, 16> numbers{};
  count = 0;
  AuditFields::each_number(fields,
                           [&](const char*, std::int64_t number) { numbers[count++] = number; });
  count = 0;
  AuditRecord::each_number(record,
                           [&](const char*, std::int64_t& number) { number = numbers[count++]; });
  return record;
}

std::string hex_of(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const char byte : bytes) {
    hex += digits[static_cast<unsigned char>(byte) >> 4];
    hex += digits[static_cast<unsigned char>(byte) & 0xF];
  }
  return hex;
}

std::optional<std::string> bytes_of_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return {};
  const auto digit = [](char letter) {
    if (letter >= '0' && letter <= '9') return letter - '0';
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : 16;
  };
  std::string bytes;
  for (std::size_t at = 0; at < hex.size(); at += 2) {
    const int high = digit(hex[at]);
    const int low = digit(hex[at + 1]);
    if (high > 15 || low > 15) return {};
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

}  // namespace base
}  // namespace byway
