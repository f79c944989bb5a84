// Sealed box: one secret under AES-256-GCM with a key of its own; format v1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <byway/result.hpp>
#include <byway/secret.hpp>

#include "vault/binding.hpp"
#include "vault/master_key.hpp"

namespace byway::vault {

/// Format v1, numbers big-endian:
///   magic "BYWV" | format version 1 byte | algorithm 1 byte | KEK id 16 | KEK version 4 |
///   salt 32 | commitment 32 | nonce 12 | ciphertext | tag 16
/// record key = HKDF-SHA-512(KEK, salt, "seal"), commitment = HKDF-SHA-512(KEK, salt, "commit").
/// The commitment is compared before anything is decrypted, for AES-GCM alone lets one ciphertext
/// open under two keys. Two versions, and two algorithms, always differ in two bits or more (1, 2,
/// 4, 7, ...), so that one flipped bit is never taken for a newer format.
inline constexpr std::size_t header_size = 102;
inline constexpr std::size_t tag_size = 16;
inline constexpr std::size_t sealed_overhead = header_size + tag_size;
/// What may be sealed in one box.
inline constexpr std::size_t secret_bytes_max = 65536;

/// What a sealed box says about itself, unauthenticated. Views into the box.
struct SealedHeader {
  std::string_view kek_id = {};
  std::uint32_t kek_version = 0;
  std::string_view salt = {};
  std::string_view commitment = {};
  std::string_view nonce = {};
};

/// Codes: vault_unknown_format, vault_ciphertext_corrupt.
Result<SealedHeader> read_header(std::string_view sealed);

/// Seals `secret` with a fresh salt and nonce, which no caller can choose: two seals of one secret
/// differ in every part. Code: vault_memory.
Result<std::string> seal(const MasterKey& key, const Binding& binding, std::string_view secret);

/// The key of one sealed box: what a call keeps, so that each attempt costs only AES. *Safe from
/// any thread.*
class RecordKey {
 public:
  /// The secret. Codes: vault_ciphertext_corrupt, vault_unknown_format, vault_memory.
  Result<Secret> open(const Binding& binding, std::string_view sealed) const;
  /// The same into the caller's protected memory; gives the secret's size, which is
  /// sealed.size() - sealed_overhead. On failure `out` is wiped. Code also: internal_error when
  /// `capacity` is too small.
  Result<std::size_t> open_into(const Binding& binding, std::string_view sealed, char* out,
                                std::size_t capacity) const;
  RecordKey clone() const { return RecordKey(key_.clone()); }

 private:
  friend Result<RecordKey> unlock(const MasterKey& key, std::string_view sealed);
  explicit RecordKey(Secret key) noexcept : key_(std::move(key)) {}

  Secret key_;
};

/// Checks header and commitment. Codes: vault_unknown_format; vault_kek_wrong when another master
/// key sealed it; vault_ciphertext_corrupt; vault_memory.
Result<RecordKey> unlock(const MasterKey& key, std::string_view sealed);

}  // namespace byway::vault
