// Vault: seals and opens upstream keys under a set of master keys. Keeps nothing on disk.
#pragma once

#include <cstdint>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include <byway/result.hpp>
#include <byway/secret.hpp>

#include "vault/sealed_box.hpp"

namespace byway::vault {

/// 0.9 x 2^32: what one master key may seal (NIST SP 800-38D, with Vault's margin).
inline constexpr std::uint64_t wraps_max = 3'865'470'566;

/// A constant sealed under `key`, to be kept beside what the key seals. Code: vault_memory.
Result<std::string> make_check_record(const MasterKey& key);
/// Whether `key` made the check record. Codes: vault_kek_wrong; vault_ciphertext_corrupt when the
/// record is damaged; vault_unknown_format.
Result<void> verify_check_record(const MasterKey& key, std::string_view check_record);

/// *Safe from any thread.*
class Vault {
 public:
  Vault() = default;

  /// From now on boxes sealed under `key` open. `wraps` is how many it has sealed so far, from the
  /// store. A version that is there already is replaced.
  void add(MasterKey key, std::uint64_t wraps = 0);
  /// Forgets a key; does nothing when it is not there.
  void remove(std::uint32_t version);
  /// The version that seals from now on. Code: vault_kek_wrong when it is not there.
  Result<void> activate(std::uint32_t version);
  /// Absent before activate().
  std::optional<std::uint32_t> active_version() const;
  /// Of the keys that are there, in order.
  std::vector<std::uint32_t> versions() const;
  /// Boxes sealed so far, those before add() included; for the store. 0 for an unknown version.
  std::uint64_t wraps(std::uint32_t version) const;

  /// Seals under the active key. Codes: vault_no_key when none is active, vault_wrap_limit,
  /// vault_memory.
  Result<std::string> seal(const Binding& binding, std::string_view secret);
  Result<std::string> seal(const Binding& binding, const Secret& secret);
  /// The key of one box. The master key is found by its id alone, because versions are counted by
  /// each store and boxes travel between stores. Codes: vault_kek_wrong when the key that sealed it
  /// is not here, vault_ciphertext_corrupt, vault_unknown_format, vault_no_key, vault_memory.
  Result<RecordKey> unlock(std::string_view sealed) const;
  /// unlock() and RecordKey::open().
  Result<Secret> open(const Binding& binding, std::string_view sealed) const;
  /// Opens and seals again under version `to_version`, with the same binding. The codes of both.
  Result<std::string> rewrap(const Binding& binding, std::string_view sealed,
                             std::uint32_t to_version);

 private:
  struct Entry {
    MasterKey key;
    std::uint64_t wraps;
  };
  Entry* find(std::uint32_t version);
  const Entry* find(std::uint32_t version) const;
  Result<std::string> seal_under(std::uint32_t version, const Binding& binding,
                                 std::string_view secret);

  mutable std::shared_mutex mutex_;
  /// By version.
  std::vector<Entry> entries_;
  std::optional<std::uint32_t> active_;
};

}  // namespace byway::vault
