// CatalogKeys: a store's master keys, where they are found, and the vault they make.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <byway/result.hpp>
#include <byway/vault.hpp>

#include "store/registry_rows.hpp"
#include "vault/vault.hpp"

namespace byway::router {

/// Where the default key file of a store is, and where its successor waits during a rotation.
std::string key_file_of(const std::string& store);
std::string next_key_file_of(const std::string& store);

/// `source` when it is given, else BYWAY_MASTER_KEY, else nothing. Codes: those of
/// KeySource::load().
Result<std::optional<Secret>> find_master_key(const KeySource& source);

/// *One thread at a time*, but for vault().
class CatalogKeys {
 public:
  /// Reads the master key: `source` when it is given, else BYWAY_MASTER_KEY, else "<store>.key"
  /// and, where a rotation was cut short, "<store>.key.new" as well. Codes: those of
  /// KeySource::load().
  static Result<std::unique_ptr<CatalogKeys>> load(std::string store, const KeySource& source);

  /// Finds out which rows the keys belong to and puts those into the vault, the active one sealing.
  /// A default key file is read again when a row needs a key that is not here. Codes:
  /// vault_kek_wrong when neither the active nor an outgoing master key is here,
  /// vault_ciphertext_corrupt.
  Result<void> match(const std::vector<store::MasterKeyRow>& rows);

  /// One more key that may be a row's. Code: vault_key_format.
  Result<void> add(Secret key);
  /// The name of a master key, as its row holds it.
  static Result<std::string> kek_id_of(const Secret& key);
  /// A row for the key, which becomes that version's: a check record made with it. The version is
  /// the store's to choose.
  static Result<store::MasterKeyRow> make_row(const Secret& key, store::MasterKeyState state);

  vault::Vault& vault() noexcept { return vault_; }
  bool has(std::uint32_t version) const;
  /// The keys came from the default file, so a rotation may put another one there.
  bool is_default_file() const noexcept { return is_default_file_; }
  const std::string& store() const noexcept { return store_; }
  /// The first key that was read.
  const Secret& first() const noexcept { return keys_.front(); }

 private:
  CatalogKeys() = default;
  Result<void> read_default_files();
  Result<void> match_known(const std::vector<store::MasterKeyRow>& rows);

  std::string store_;
  bool is_default_file_ = false;
  std::vector<Secret> keys_;
  vault::Vault vault_;
};

}  // namespace byway::router
