#include "vault/passphrase.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "vault/master_key.hpp"

namespace byway::vault {
namespace {

constexpr std::string_view magic = "byway-scrypt-v1 ";
constexpr std::size_t passphrase_characters_min = 12;

Error not_parameters() {
  return Error(ErrorCode::vault_key_format,
               "a passphrase file is one line: byway-scrypt-v1, log2 N, r, p and the salt in hex");
}

Error out_of_range() {
  return Error(ErrorCode::vault_kdf_params_out_of_range,
               "scrypt needs log2 N from 17 to 20, r 8, p from 1 to 8, N x p of at most 2^20 and a "
               "salt of 16 to 64 bytes");
}

/// Characters of UTF-8; of other bytes at most their number.
std::size_t count_characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
  }));
}

/// A decimal number and one space, cut from the front. A number too large to hold is the largest.
bool take_number(std::string_view& text, std::uint32_t& out) noexcept {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (failure == std::errc::invalid_argument) return false;
  if (failure == std::errc::result_out_of_range) out = UINT32_MAX;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.starts_with(' ')) return false;
  text.remove_prefix(1);
  return true;
}

bool decode_hex(std::string_view text, std::string& out) {
  if (text.size() % 2 != 0) return false;
  for (std::size_t at = 0; at < text.size(); at += 2) {
    std::uint8_t byte = 0;
    const char* pair = text.data() + at;
    if (std::from_chars(pair, pair + 2, byte, 16).ptr != pair + 2) return false;
    out.push_back(static_cast<char>(byte));
  }
  return true;
}

}  // namespace

PassphraseParameters make_passphrase_parameters() {
  PassphraseParameters parameters;
  parameters.salt.resize(32);
  base::random_bytes(parameters.salt.data(), parameters.salt.size());
  return parameters;
}

std::string to_text(const PassphraseParameters& parameters) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text(magic);
  for (const std::uint32_t number :
       {parameters.cost.log2_n, parameters.cost.r, parameters.cost.p}) {
    text.append(std::to_string(number)).push_back(' ');
  }
  for (const char byte : parameters.salt) {
    text.push_back(digits[static_cast<unsigned char>(byte) >> 4]);
    text.push_back(digits[static_cast<unsigned char>(byte) & 15]);
  }
  return text.append("\n");
}

Result<PassphraseParameters> parse_passphrase_parameters(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (!text.starts_with(magic)) return not_parameters();
  text.remove_prefix(magic.size());
  PassphraseParameters parameters;
  if (!take_number(text, parameters.cost.log2_n) || !take_number(text, parameters.cost.r) ||
      !take_number(text, parameters.cost.p) || !decode_hex(text, parameters.salt)) {
    return not_parameters();
  }
  if (Result<void> checked = check(parameters); !checked) return checked.error();
  return parameters;
}

Result<void> check(const PassphraseParameters& parameters) {
  const auto& [log2_n, r, p] = parameters.cost;
  const std::size_t salt = parameters.salt.size();
  if (log2_n < 17 || log2_n > 20 || r != 8 || p < 1 || p > 8) return out_of_range();
  if (p << log2_n > 1U << 20 || salt < 16 || salt > 64) return out_of_range();
  return {};
}

Result<Secret> derive_master_key(const Secret& passphrase, const PassphraseParameters& parameters) {
  if (count_characters(passphrase.expose_secret()) < passphrase_characters_min) {
    return Error(ErrorCode::vault_weak_passphrase,
                 "the passphrase has fewer than 12 characters; choose a longer one");
  }
  if (Result<void> checked = check(parameters); !checked) return checked.error();
  Secret key = Secret::zeros(master_key_size);
  if (!base::scrypt(passphrase.expose_secret(), parameters.salt, parameters.cost,
                    key.mutable_bytes(), key.size())) {
    return Error(ErrorCode::vault_memory, "scrypt did not get the memory it needs");
  }
  return key;
}

}  // namespace byway::vault
