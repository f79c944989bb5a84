// Makes a new store: what `byway init` does.
#include <byway/admin.hpp>

#include <utility>

#include "policy/customer_key.hpp"
#include "registry/fields.hpp"
#include "registry/settings.hpp"
#include "router/catalog_keys.hpp"
#include "store/file_system.hpp"
#include "store/registry_store.hpp"

namespace byway {
namespace {

/// The master key, made beside the store when there is none yet. A key file without a store is one
/// whose making was cut short, or one that was put there for this.
Result<Secret> key_for(const NewStore& wanted, CreatedStore& created) {
  auto found = router::find_master_key(wanted.master_key);
  if (!found) return found.error();
  if (*found) return std::move(**found);
  created.key_file = router::key_file_of(wanted.path);
  auto present = KeySource::file(created.key_file).load();
  if (present || present.error().code() != ErrorCode::vault_no_key) return present;
  Secret key = generate_master_key();
  if (Result<void> written = write_key_file(created.key_file, key); !written) {
    return written.error();
  }
  return key;
}

}  // namespace

Result<CreatedStore> create_store(const NewStore& wanted) try {
  if (!registry::is_org(wanted.org)) return registry::field_invalid("org", "is no name of an org");
  if (!policy::is_key_prefix(wanted.key_prefix)) {
    return registry::field_invalid("key_prefix", "must be 1 to 16 of a-z and 0-9, a letter first");
  }
  CreatedStore created{.path = wanted.path};
  if (store::has_file(wanted.path)) {
    // Refused before a key is made. An empty file is one whose making was cut short.
    auto there = store::RegistryStore::open(wanted.path);
    const bool is_empty = !there && there.error().code() == ErrorCode::store_not_found;
    if (!is_empty) {
      return Error(ErrorCode::store_exists, "there is a file at " + wanted.path + " already");
    }
  }
  auto key = key_for(wanted, created);
  if (!key) return key.error();
  auto row = router::CatalogKeys::make_row(*key, store::MasterKeyState::active);
  if (!row) return row.error();
  auto store = store::RegistryStore::create(wanted.path);
  if (!store) return store.error();
  Result<void> done = store->transact([&]() -> Result<void> {
    if (Result<void> made = store->insert_org(wanted.org); !made) return made;
    if (Result<void> set = store->set_key_prefix(wanted.key_prefix); !set) return set;
    auto version = store->insert_master_key(*row);
    if (!version) return version.error();
    return {};
  });
  if (!done) return done.error();
  return created;
} catch (const std::bad_alloc&) {
  return Error(ErrorCode::internal_out_of_memory, "no memory is left to make a store");
}

}  // namespace byway
