#include "router/catalog_audit.hpp"

#include <utility>

#include "base/audit_bytes.hpp"
#include "base/digest.hpp"
#include "base/time_text.hpp"
#include "store/registry_store.hpp"

namespace byway::router {

std::string canonical(const Change& change, WallTime now) {
  AuditFields fields{.kind = AuditKind::change, .at_us = base::unix_us(now)};
  fields.org = change.org;
  fields.actor = change.actor;
  fields.action = change.action;
  fields.subject = change.subject;
  fields.endpoint_id = change.endpoint_id;
  fields.endpoint = change.endpoint;
  return base::encode_audit(fields);
}

store::AuditKey audit_key_of(const registry::Pepper& pepper) {
  store::AuditKey key;
  key.version = pepper.version;
  const base::Hkdf derived(pepper.bytes.expose_secret(), "");
  derived.expand("byway audit head 1", key.bytes.data(), key.bytes.size());
  return key;
}

Result<store::AuditKey> audit_key_of(const registry::Access& access) {
  // Of the first pepper, so that a later one changes no signature.
  const auto& peppers = access.records().peppers;
  if (!peppers.empty()) return audit_key_of(*peppers.front());
  return Error(ErrorCode::vault_no_key,
               "the audit log's signatures cannot be checked: the store's master key is not here");
}

Result<void> record(CatalogDesk& desk, const Change& change) {
  return desk.store.record(canonical(change, desk.clock.wall_now()));
}

std::string changed_text(std::string_view subject, std::span<const FieldChange> changes) {
  std::string text(subject);
  char before = ' ';
  for (const FieldChange& change : changes) {
    text += std::exchange(before, ',');
    text += change.field;
  }
  return text;
}

}  // namespace byway::router
