// KeySource: where the vault's master key comes from.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include <byway/result.hpp>
#include <byway/secret.hpp>

namespace byway {

/// Says where the 32 bytes of the master key are read when a router opens; holds no key itself. A
/// default-made one names nowhere. Copies are cheap. *Safe from any thread.*
class KeySource {
 public:
  /// Reads the master key, or asks for it; 32 bytes.
  using Reader = std::function<Result<Secret>()>;

  KeySource() = default;
  /// An environment variable that holds 64 hex digits or base64. Codes of load(): vault_no_key when
  /// it is unset or empty, vault_key_format.
  static KeySource environment(std::string name);
  /// A file of exactly 32 bytes, or of one line of 64 hex digits or base64. It must be a regular
  /// file, not a symbolic link, owned by this user or root, and closed to group and others. Codes:
  /// vault_no_key when there is none, vault_file_permissions, vault_key_format.
  static KeySource file(std::string path);
  /// The application's own source, e.g. a key management service; gives 32 bytes. Called on the
  /// thread that opens the router. Codes: its own; vault_no_key when it throws, vault_key_format.
  static KeySource callback(Reader reader);
  /// scrypt (RFC 7914) over what `ask` gives, with the salt and cost kept at `parameters_path` by
  /// write_passphrase_file(). Takes about half a second and 128 MiB. Codes: those of file() for the
  /// parameters; vault_weak_passphrase, vault_kdf_params_out_of_range.
  static KeySource passphrase(Reader ask, std::string parameters_path);

  bool is_given() const noexcept { return static_cast<bool>(reader_); }
  /// The master key, 32 bytes. Code: vault_no_key for a default-made source, else as above.
  Result<Secret> load() const;

 private:
  explicit KeySource(Reader reader) : reader_(std::move(reader)) {}

  Reader reader_;
};

/// 32 random bytes. Throws std::bad_alloc when there is no memory.
Secret generate_master_key();

/// Makes a new key file for KeySource::file(), mode 0600, durable when this returns; never
/// overwrites. Codes: vault_key_format when `key` is not 32 bytes, store_exists, store_disk_full,
/// store_io_error.
Result<void> write_key_file(const std::string& path, const Secret& key);

/// Makes a new file of a random salt and the default cost for KeySource::passphrase(). It holds no
/// secret, but without it the passphrase opens nothing. Codes: as write_key_file.
Result<void> write_passphrase_file(const std::string& path);

}  // namespace byway
