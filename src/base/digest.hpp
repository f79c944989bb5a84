// Digests, message authentication, key derivation and random bytes, over OpenSSL.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace byway::base {

using Sha256 = std::array<unsigned char, 32>;
using Sha512 = std::array<unsigned char, 64>;

/// Algorithms are fetched once and contexts are kept per thread, because OpenSSL 3 looks an
/// algorithm up by name in each one-shot call. Contexts that saw a key are wiped before these
/// return. All throw ResultError (internal_error) when OpenSSL lacks the algorithm or memory, which
/// a working system never sees. *Safe from any thread.* sha256 is for bytes that are not secret.
Sha256 sha256(std::string_view bytes);
Sha256 hmac_sha256(std::string_view key, std::string_view message);
Sha512 hmac_sha512(std::string_view key, std::string_view message);

/// HKDF with SHA-512 (RFC 5869), extracted once and expanded as often as needed.
class Hkdf {
 public:
  Hkdf(std::string_view secret, std::string_view salt);
  Hkdf(const Hkdf&) = delete;
  Hkdf& operator=(const Hkdf&) = delete;
  ~Hkdf();

  /// At most 255 x 64 bytes may be asked for; more throws ResultError (internal_error).
  void expand(std::string_view info, void* out, std::size_t size) const;

 private:
  Sha512 pseudorandom_key_;
};

/// The cost of scrypt (RFC 7914): memory is 128 x r x 2^log2_n bytes, time grows with p too.
struct ScryptCost {
  std::uint32_t log2_n = 0;
  std::uint32_t r = 0;
  std::uint32_t p = 0;
};
/// Fills `out`; false when there is not that much memory.
bool scrypt(std::string_view passphrase, std::string_view salt, ScryptCost cost, void* out,
            std::size_t size);

/// From OpenSSL's generator, seeded by the system and again in a forked child.
void random_bytes(void* out, std::size_t size);

/// Constant time in the bytes; lengths are not secret.
bool is_equal(std::string_view a, std::string_view b) noexcept;

/// Overwrites in a way the compiler does not leave out.
void wipe(void* bytes, std::size_t size) noexcept;

}  // namespace byway::base
