// Audit bytes: the canonical form of an audit record, the one that is hashed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <byway/audit_record.hpp>

namespace byway::base {

/// A version byte, the kind, then each field in order: texts as length and bytes, numbers as
/// variable-length integers (LEB128). Never a joined string. Texts beyond their bound are cut at a
/// character's start; negative numbers are written as 0. Gives how many bytes were written, 0 when
/// they do not fit. Allocates nothing.
std::size_t encode_audit(const AuditFields& fields, char* room, std::size_t size) noexcept;
std::string encode_audit(const AuditFields& fields);

/// The views live as long as `bytes`. Absent for anything that encode_audit() does not write.
std::optional<AuditFields> decode_audit(std::string_view bytes) noexcept;

/// What a record begins with.
struct AuditStart {
  AuditKind kind = AuditKind::outcome;
  std::int64_t at_us = 0;
  std::string_view org = {};
};
/// Reads no further than that. Absent when even this is not what encode_audit() writes.
std::optional<AuditStart> decode_audit_start(std::string_view bytes) noexcept;

/// Owned; seq and hash are the caller's to add.
AuditRecord to_record(const AuditFields& fields);

/// Lower-case hex, and back; absent for anything else.
std::string hex_of(std::string_view bytes);
std::optional<std::string> bytes_of_hex(std::string_view hex);

}  // namespace byway::base
