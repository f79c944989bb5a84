// Passphrase: a master key that a person remembers, by scrypt.
#pragma once

#include <string>
#include <string_view>

#include <byway/result.hpp>
#include <byway/secret.hpp>

#include "base/digest.hpp"

namespace byway::vault {

/// What must be kept to get the same key from the same passphrase. Not secret.
struct PassphraseParameters {
  base::ScryptCost cost = {.log2_n = 17, .r = 8, .p = 1};
  /// 16 to 64 bytes.
  std::string salt = {};
};

/// The default cost with a fresh salt of 32 bytes.
PassphraseParameters make_passphrase_parameters();

/// "byway-scrypt-v1 <log2 N> <r> <p> <salt in hex>" and a line feed.
std::string to_text(const PassphraseParameters& parameters);
/// Reads that line. Codes: vault_key_format, vault_kdf_params_out_of_range.
Result<PassphraseParameters> parse_passphrase_parameters(std::string_view text);

/// N from 2^17 to 2^20, r = 8, p from 1 to 8, N x p at most 2^20, a salt of 16 to 64 bytes: never
/// under OWASP's minimum, never over 1 GiB or about 4 seconds, so that a parameter file from a
/// stranger cannot weaken a key or stall a program. Code: vault_kdf_params_out_of_range.
Result<void> check(const PassphraseParameters& parameters);

/// 32 bytes; half a second and 128 MiB at the default cost. Codes: vault_weak_passphrase under 12
/// characters, vault_kdf_params_out_of_range, vault_memory.
Result<Secret> derive_master_key(const Secret& passphrase, const PassphraseParameters& parameters);

}  // namespace byway::vault
