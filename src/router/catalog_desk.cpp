#include "router/catalog_desk.hpp"

#include <utility>

#include "base/request_id.hpp"
#include "registry/fields.hpp"
#include "router/catalog_plain_key.hpp"
#include "router/catalog_time.hpp"
#include "vault/upstream_secret.hpp"
#include "wire/model_id.hpp"

namespace byway::router {
namespace {

using store::EndpointRow;
using store::SealedKeyRow;

/// `key` is text or a Secret.
template <class Key>
Result<SealedKeyRow> seal_and_put(CatalogDesk& desk, const EndpointRow& row, const Key& key,
                                  std::string preview, std::optional<std::uint64_t> generation) {
  SealedKeyRow sealed;
  sealed.endpoint_id = row.id;
  sealed.field = key_field;
  sealed.record_id = make_id(desk);
  sealed.generation = generation.value_or(row.last_generation + 1);
  sealed.preview = std::move(preview);
  vault::Vault& vault = desk.keys.vault();
  auto bytes = vault.seal(place_of(row, sealed).binding(), key);
  if (!bytes) return bytes.error();
  sealed.sealed = *std::move(bytes);
  sealed.master_key_version = vault.active_version().value_or(0);
  if (Result<void> put = desk.store.put_sealed_key(sealed); !put) return put.error();
  return sealed;
}

}  // namespace

Error endpoint_not_found(std::string_view slug) {
  ErrorFields fields{.code = ErrorCode::byo_endpoint_not_found};
  fields.message = "there is no endpoint of that slug";
  if (wire::is_slug(slug)) {
    fields.endpoint = "byo:" + std::string(slug);
    fields.message = "there is no endpoint " + fields.endpoint;
  }
  return Error(std::move(fields));
}

Result<EndpointRow> find_row(CatalogDesk& desk, std::string_view org, std::string_view slug) {
  auto found = desk.store.find_endpoint(org, slug);
  if (!found) return found.error();
  if (!*found) return endpoint_not_found(slug);
  return **std::move(found);
}

std::string make_id(const CatalogDesk& desk) {
  const auto id = base::make_ulid(desk.clock.wall_now());
  return std::string(id.data(), id.size());
}

Result<registry::CheckedSettings> put_settings(CatalogDesk& desk, EndpointSettings& settings,
                                               EndpointRow& row) {
  auto checked = registry::check_settings(settings);
  if (!checked) return checked;
  settings.base_url = checked->base_url.text;
  row.org = settings.org;
  row.slug = settings.slug;
  row.origin = checked->base_url.origin;
  row.enabled = settings.enabled;
  row.settings = registry::to_json(settings);
  row.updated_at = rfc3339(desk.clock.wall_now());
  return checked;
}

KeyPlace place_of(const EndpointRow& row, const SealedKeyRow& key) {
  return KeyPlace{row.org, row.slug, row.origin, key.record_id, key.generation};
}

Result<SealedKeyRow> put_key(CatalogDesk& desk, const EndpointRow& row, std::string_view key,
                             std::optional<std::uint64_t> generation) {
  if (auto good = vault::validate_upstream_secret(key); !good) return good.error();
  return seal_and_put(desk, row, key, vault::preview_of(key), generation);
}

Result<SealedKeyRow> put_key(CatalogDesk& desk, const EndpointRow& row, const Secret& key,
                             std::optional<std::uint64_t> generation) {
  return seal_and_put(desk, row, key, preview_of_key(key), generation);
}

Result<void> check_changes(CatalogDesk& desk, const EndpointRow& row, std::string_view key) {
  auto sealed = desk.store.find_sealed_key(row.id, key_field);
  if (!sealed) return sealed.error();
  if (!*sealed) return {};
  auto now = desk.keys.vault().open(place_of(row, **sealed).binding(), (*sealed)->sealed);
  if (!now || !(*now == Secret::copy_of(key))) return {};
  ErrorFields fields{.code = ErrorCode::vault_no_change};
  fields.endpoint = "byo:" + row.slug;
  fields.message = "the key given for " + fields.endpoint + " is the one in use";
  return Error(std::move(fields));
}

Result<void> transact(CatalogDesk& desk, const std::function<Result<void>()>& change) {
  Result<void> done = desk.store.transact(change);
  if (done || done.error().code() != ErrorCode::vault_kek_wrong) return done;
  auto rows = desk.store.master_keys();
  if (!rows) return rows.error();
  if (Result<void> matched = desk.keys.match(*rows); !matched) return matched;
  return desk.store.transact(change);
}

}  // namespace byway::router
