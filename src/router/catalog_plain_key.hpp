// Plain upstream keys, on their way from where they lie into the vault.
#pragma once

#include <string>

#include <byway/result.hpp>
#include <byway/secret.hpp>

#include "base/digest.hpp"
#include "registry/toml_file.hpp"

namespace byway::router {

/// Reads the key that a registry file names by "env:" or "file:", without the line end of a file.
/// A key file has the rules of KeySource::file(). Codes: vault_no_key, vault_file_permissions,
/// vault_key_format, vault_secret_invalid.
Result<Secret> read_plain_key(const registry::FileKey& key);

/// Tells whether two keys are the same without keeping either: an HMAC under `with`.
base::Sha256 fingerprint_of(const Secret& with, const Secret& key);

/// What may be shown of a key (governance section 1).
std::string preview_of_key(const Secret& key);

}  // namespace byway::router
