// MasterKey: the key that upstream keys are sealed under, with its name and version.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <byway/result.hpp>
#include <byway/secret.hpp>

namespace byway::vault {

inline constexpr std::size_t master_key_size = 32;

/// Names a master key without telling anything about it.
using KekId = std::array<char, 16>;

/// Immutable. *Safe from any thread.*
class MasterKey {
 public:
  /// Code: vault_key_format when `key` is not 32 bytes.
  static Result<MasterKey> make(Secret key, std::uint32_t version);

  std::uint32_t version() const noexcept { return version_; }
  const KekId& id() const noexcept { return id_; }
  std::string_view id_view() const noexcept { return {id_.data(), id_.size()}; }
  const Secret& key() const noexcept { return key_; }

 private:
  MasterKey(Secret key, std::uint32_t version, KekId id) noexcept;

  Secret key_;
  std::uint32_t version_;
  KekId id_;
};

}  // namespace byway::vault
