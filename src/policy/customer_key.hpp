// CustomerKeyText: how a customer key is written, made and read.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <byway/customer_key.hpp>
#include <byway/secret.hpp>

namespace byway::policy {

/// <prefix>_(live|test)_<16 id>_<43 secret>_<6 CRC-32>, all of [0-9A-Za-z]:
///
///     ^bw_(live|test)_[0-9A-Za-z]{16}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$
///
/// The secret is 256 random bits in base 62; the checksum, base 62 too, is of everything before
/// its underscore. Base 62 has the digits 0-9, A-Z, a-z in this order, the highest place first.
inline constexpr std::size_t key_id_size = 16;
inline constexpr std::string_view default_key_prefix = "bw";

/// What a well-formed key says of itself. A view into the key.
struct CustomerKeyText {
  std::string_view id = {};
  KeyMode mode = KeyMode::live;
};

/// 1 to 16 of [a-z0-9], a letter first.
bool is_key_prefix(std::string_view text) noexcept;
bool is_key_id(std::string_view text) noexcept;

/// Absent for what is no key of this prefix. Looks at no more bytes than a key has, however many
/// there are, and does the same work for each text of the right size.
std::optional<CustomerKeyText> parse_customer_key(std::string_view text,
                                                  std::string_view prefix) noexcept;

/// A fresh id. From OpenSSL's generator.
std::string make_key_id();
/// A key of that id with a fresh secret. Throws what random_bytes() and Secret throw.
Secret mint_customer_key(std::string_view prefix, KeyMode mode, std::string_view id);

}  // namespace byway::policy
