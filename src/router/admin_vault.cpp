// Admin: the vault's master keys.
#include <byway/admin.hpp>

#include <unordered_map>
#include <utility>

#include "router/catalog_access.hpp"
#include "router/catalog_audit.hpp"
#include "router/catalog_desk.hpp"
#include "router/permissions.hpp"

namespace byway {
namespace {

using router::AdminMethod;
using router::CatalogDesk;
using store::MasterKeyState;

const char* name_of(MasterKeyState state) {
  switch (state) {
    case MasterKeyState::incoming: return "incoming";
    case MasterKeyState::active: return "active";
    case MasterKeyState::outgoing: return "outgoing";
    case MasterKeyState::retired: return "retired";
  }
  return "";
}

}  // namespace

Result<VaultStatus> Admin::vault_status() const {
  if (Result<void> good = allow(AdminMethod::vault_status); !good) return good.error();
  return catalog_->change([](CatalogDesk& desk) -> Result<VaultStatus> {
    auto rows = desk.store.load();
    if (!rows) return rows.error();
    std::unordered_map<std::uint32_t, std::int64_t> records;
    for (const auto& key : rows->sealed_keys) ++records[key.master_key_version];
    VaultStatus status;
    for (const auto& row : rows->master_keys) {
      status.master_keys.push_back(MasterKeyStatus{row.version, name_of(row.state),
                                                   records[row.version], row.wraps,
                                                   desk.keys.has(row.version)});
      const bool is_between =
          row.state == MasterKeyState::incoming || row.state == MasterKeyState::outgoing;
      status.is_rotating = status.is_rotating || is_between;
    }
    return status;
  });
}

Result<VaultCheck> Admin::check_vault() const {
  if (Result<void> good = allow(AdminMethod::check_vault); !good) return good.error();
  return catalog_->change([](CatalogDesk& desk) -> Result<VaultCheck> {
    auto rows = desk.store.load();
    if (!rows) return rows.error();
    std::unordered_map<std::string_view, const store::EndpointRow*> endpoints;
    for (const auto& row : rows->endpoints) endpoints.emplace(row.id, &row);
    VaultCheck check;
    check.records = rows->sealed_keys.size();
    for (const auto& pepper : rows->peppers) {
      const auto opened = router::open_pepper(desk.keys.vault(), pepper);
      if (!opened) check.broken.push_back(BrokenKey{{}, "customer keys", opened.error()});
    }
    for (const auto& key : rows->sealed_keys) {
      const auto found = endpoints.find(key.endpoint_id);
      if (found == endpoints.end()) continue;
      const store::EndpointRow& row = *found->second;
      const auto opened = desk.keys.vault().open(router::place_of(row, key).binding(), key.sealed);
      if (!opened) check.broken.push_back(BrokenKey{row.org, row.slug, opened.error()});
    }
    return check;
  });
}

Result<MasterRotation> Admin::rotate_master(KeySource new_key) {
  if (Result<void> good = allow(AdminMethod::rotate_master); !good) return good.error();
  return catalog_->change(
      [&](CatalogDesk& desk) { return router::rotate_master(desk, new_key, org_); });
}

Result<void> Admin::retire_master(std::uint32_t version) {
  if (Result<void> good = allow(AdminMethod::retire_master); !good) return good;
  return catalog_->change([&](CatalogDesk& desk) -> Result<void> {
    auto rows = desk.store.master_keys();
    if (!rows) return rows.error();
    for (const auto& row : *rows) {
      if (row.version != version) continue;
      return desk.store.transact([&]() -> Result<void> {
        if (Result<void> done = desk.store.retire_master_key(version); !done) return done;
        return router::record(desk, {org_, key_id_, "vault.retire", std::to_string(version)});
      });
    }
    return Error(ErrorCode::vault_kek_wrong,
                 "there is no master key version " + std::to_string(version));
  });
}

}  // namespace byway
