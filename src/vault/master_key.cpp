#include "vault/master_key.hpp"

#include <utility>

#include "base/digest.hpp"

namespace byway::vault {

MasterKey::MasterKey(Secret key, std::uint32_t version, KekId id) noexcept
    : key_(std::move(key)), version_(version), id_(id) {}

Result<MasterKey> MasterKey::make(Secret key, std::uint32_t version) {
  if (key.size() != master_key_size) {
    return Error(ErrorCode::vault_key_format,
                 "a master key is 32 bytes, not " + std::to_string(key.size()));
  }
  KekId id;
  base::Hkdf(key.expose_secret(), {}).expand("byway key id", id.data(), id.size());
  return MasterKey(std::move(key), version, id);
}

}  // namespace byway::vault
