#include "router/catalog_plain_key.hpp"

#include <cstdlib>

#include "vault/key_file.hpp"
#include "vault/upstream_secret.hpp"

namespace byway::router {
namespace {

/// Editors and secret mounts end a file with a line end, which is not part of the key.
std::string_view without_line_end(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

Result<Secret> read_plain_key(const registry::FileKey& key) {
  if (key.origin == registry::KeyOrigin::environment) {
    const char* value = std::getenv(key.text.c_str());
    if (value == nullptr || *value == '\0') {
      return Error(ErrorCode::vault_no_key,
                   "the environment variable " + key.text + " holds no key");
    }
    if (auto good = vault::validate_upstream_secret(value); !good) return good.error();
    return Secret::copy_of(value);
  }
  auto content = vault::read_private_file(key.text, vault::upstream_secret_bytes_max + 2);
  if (!content) return content;
  const std::string_view text = without_line_end(content->expose_secret());
  if (auto good = vault::validate_upstream_secret(text); !good) return good.error();
  return Secret::copy_of(text);
}

base::Sha256 fingerprint_of(const Secret& with, const Secret& key) {
  return base::hmac_sha256(with.expose_secret(), key.expose_secret());
}

std::string preview_of_key(const Secret& key) {
  return vault::preview_of(key.expose_secret());
}

}  // namespace byway::router
