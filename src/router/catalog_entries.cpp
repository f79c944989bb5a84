#include "router/catalog_entries.hpp"

#include <utility>

#include "policy/limit_list.hpp"
#include "registry/capability_fields.hpp"
#include "registry/fields.hpp"
#include "registry/settings.hpp"
#include "router/catalog_key.hpp"

namespace byway::router {
namespace {

using store::EndpointRow;
using store::SealedKeyRow;

/// The place as the settings say it, not as the row's other columns do: a base URL that was changed
/// behind Byway's back must not take the key with it (safety P10).
KeyPlace place_of(const EndpointSettings& settings, std::string origin, const SealedKeyRow& key) {
  return KeyPlace{settings.org, settings.slug, std::move(origin), key.record_id, key.generation};
}

/// Whether two rows hold the same secret, one perhaps sealed again under another master key.
bool is_rewrap(const SealedKeyRow& a, const SealedKeyRow& b) {
  return a.record_id == b.record_id && a.generation == b.generation && a.field == b.field;
}

}  // namespace

Endpoint endpoint_of(const EndpointRow& row, const SealedKeyRow* key, EndpointSettings settings) {
  Endpoint endpoint;
  endpoint.settings = std::move(settings);
  endpoint.settings.enabled = row.enabled;
  endpoint.id = row.id;
  endpoint.origin = row.origin;
  endpoint.created_at = row.created_at;
  endpoint.updated_at = row.updated_at;
  if (!row.capabilities.empty()) {
    // One that cannot be read says nothing, and must not stop calls.
    auto record = registry::capabilities_from_json(row.capabilities);
    if (record) endpoint.capabilities = *std::move(record);
  }
  if (key == nullptr) return endpoint;
  endpoint.has_key = true;
  endpoint.key_preview = key->preview;
  endpoint.key_generation = key->generation;
  return endpoint;
}

Result<std::shared_ptr<const registry::Entry>> make_entry(Endpoint endpoint,
                                                          registry::OpenKey opener, bool waits) {
  auto limits = std::make_shared<const policy::LimitList>(policy::limits_of(endpoint, waits));
  auto entry = registry::Entry::make(std::move(endpoint), std::move(opener));
  if (!entry) return entry.error();
  if (!limits->limits.empty()) (*entry)->limits = std::move(limits);
  return std::shared_ptr<const registry::Entry>(*std::move(entry));
}

CatalogEntries::Known CatalogEntries::make(const EndpointRow& row, const SealedKeyRow* key,
                                           const vault::Vault& vault, const Known* before) const {
  Known known{row, {}, {}, {}};
  if (key != nullptr) known.key = *key;
  auto settings = registry::settings_from_json(row.settings);
  if (settings && (settings->org != row.org || settings->slug != row.slug)) {
    settings = Error(ErrorCode::store_corrupt, "its settings are another endpoint's");
  }
  auto checked = settings ? registry::check_settings(*settings)
                          : Result<registry::CheckedSettings>(settings.error());
  if (!checked) {
    known.problem = checked.error();
    return known;
  }
  registry::OpenKey opener;
  if (key != nullptr) {
    auto made = make_opener(vault, place_of(*settings, checked->base_url.origin, *key), key->sealed,
                            checked->dialect->auth);
    // Another process sealed it again under a master key that is not here: what was read before
    // still opens, and is the same secret.
    const bool lacks_master_key = !made && (made.error().code() == ErrorCode::vault_kek_wrong ||
                                            made.error().code() == ErrorCode::vault_no_key);
    const bool is_kept = lacks_master_key && before != nullptr && before->key && !before->problem &&
                         is_rewrap(*before->key, *key) && before->row == row;
    if (is_kept) {
      opener = before->entry->open_key;
    } else if (made) {
      opener = *std::move(made);
    } else {
      known.problem = made.error();
      opener = broken_opener(about_endpoint(row.slug, made.error()));
    }
  }
  auto entry = make_entry(endpoint_of(row, key, *std::move(settings)), std::move(opener), waits_);
  if (entry) {
    known.entry = *std::move(entry);
  } else {
    known.problem = entry.error();
  }
  return known;
}

LoadedEntries CatalogEntries::load(const store::RegistryRows& rows, const vault::Vault& vault) {
  std::unordered_map<std::string_view, const SealedKeyRow*> keys;
  for (const SealedKeyRow& key : rows.sealed_keys) {
    if (key.field == key_field) keys.emplace(key.endpoint_id, &key);
  }
  LoadedEntries loaded;
  std::unordered_map<std::string, Known> now;
  for (const EndpointRow& row : rows.endpoints) {
    const auto key_at = keys.find(row.id);
    const SealedKeyRow* key = key_at == keys.end() ? nullptr : key_at->second;
    const auto before = known_.find(row.id);
    const bool is_same = before != known_.end() && !before->second.problem &&
                         before->second.row == row &&
                         (key == nullptr ? !before->second.key : before->second.key == *key);
    Known known = is_same
                      ? std::move(before->second)
                      : make(row, key, vault, before == known_.end() ? nullptr : &before->second);
    if (known.entry) loaded.entries.push_back(known.entry);
    if (known.problem) loaded.broken.push_back(BrokenKey{row.org, row.slug, *known.problem});
    now.emplace(row.id, std::move(known));
  }
  known_ = std::move(now);
  return loaded;
}

}  // namespace byway::router
