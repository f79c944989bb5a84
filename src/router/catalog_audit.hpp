// What administration and the catalog do with the audit log.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <byway/admin.hpp>
#include <byway/result.hpp>

#include "registry/access.hpp"
#include "router/catalog.hpp"
#include "store/audit_chain.hpp"

namespace byway::router {

/// The key that heads are signed under: derived from what customer keys are hashed under, which is
/// sealed in the vault, stays the same when the master key changes and is never replaced.
store::AuditKey audit_key_of(const registry::Pepper& pepper);
/// Code: vault_no_key.
Result<store::AuditKey> audit_key_of(const registry::Access& access);

/// Who changes what.
struct Change {
  std::string_view org = {};
  /// The customer key that acts; empty for the owner.
  std::string_view actor = {};
  /// "endpoint.add", "key.revoke", ...
  std::string_view action = {};
  /// What is changed: a slug, a name, an id; behind a space the names of the fields that are.
  std::string_view subject = {};
  std::string_view endpoint_id = {};
  std::string_view endpoint = {};
};

/// The record's canonical bytes.
std::string canonical(const Change& change, WallTime now);
/// Appends a change to the audit log, in the transaction at hand. Code: policy_audit_unavailable.
Result<void> record(CatalogDesk& desk, const Change& change);
/// "subject a,b" of the fields that are changed.
std::string changed_text(std::string_view subject, std::span<const FieldChange> changes);

}  // namespace byway::router
