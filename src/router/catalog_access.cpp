#include "router/catalog_access.hpp"

#include <cstring>

#include "base/digest.hpp"
#include "policy/limit_list.hpp"
#include "registry/alias_rules.hpp"
#include "registry/key_settings.hpp"
#include "registry/org_limits.hpp"

namespace byway::router {
namespace {

using registry::KeyRecord;
using registry::KeyVerifier;
using store::CustomerKeyRow;
using store::RegistryRows;

constexpr std::size_t pepper_size = 32;

/// No endpoint has an empty org and slug, so a pepper is never taken for an upstream key.
vault::Binding binding_of(std::uint32_t version, const std::string& record_id) {
  return vault::Binding{.field = "pepper", .record_id = record_id, .generation = version};
}

Error about(std::string_view what, std::string_view name, const Error& error) {
  ErrorFields fields = error.fields();
  fields.message = std::string(what) + " " + std::string(name) + ": " + fields.message;
  return Error(std::move(fields));
}

KeyVerifier verifier_of(const std::string& bytes, std::uint32_t pepper_version) {
  KeyVerifier verifier;
  std::memcpy(verifier.bytes.data(), bytes.data(), std::min(bytes.size(), verifier.bytes.size()));
  verifier.pepper_version = pepper_version;
  return verifier;
}

/// Of those that could be read; an org whose limits could not be has no key that could be used.
const OrgLimits* limits_of(const LoadedAccess& loaded, std::string_view org) {
  for (const auto& record : loaded.records.orgs) {
    if (record->org.name == org && !record->problem) return &record->org.limits;
  }
  return nullptr;
}

Result<std::shared_ptr<const KeyRecord>> record_of(const CustomerKeyRow& row, const OrgLimits& org,
                                                   bool waits) {
  auto key = customer_key_of(row);
  if (!key) return key.error();
  std::optional<KeyVerifier> previous;
  if (!row.previous_verifier.empty()) {
    previous = verifier_of(row.previous_verifier, row.previous_pepper_version);
  }
  auto limits = std::make_shared<const policy::LimitList>(policy::limits_of(*key, org, waits));
  auto record =
      KeyRecord::make(*std::move(key), verifier_of(row.verifier, row.pepper_version), previous);
  if (!record) return record.error();
  (*record)->limits = std::move(limits);
  return std::shared_ptr<const KeyRecord>(*std::move(record));
}

void load_aliases(const RegistryRows& rows, LoadedAccess& loaded) {
  for (const store::AliasRow& row : rows.aliases) {
    Alias alias{.name = row.name, .models = {}, .require = {}, .org = row.org};
    Result<void> read = registry::read_alias_json(alias, row.settings);
    if (read) read = registry::check_alias(alias);
    if (read) {
      loaded.records.aliases.push_back(std::make_shared<const Alias>(std::move(alias)));
    } else {
      loaded.problems.push_back(about("alias", row.name, read.error()));
    }
  }
}

void load_orgs(const RegistryRows& rows, LoadedAccess& loaded) {
  for (const store::OrgRow& row : rows.orgs) {
    auto limits = registry::org_limits_from_json(row.limits);
    if (!limits) {
      loaded.problems.push_back(about("org", row.name, limits.error()));
      loaded.records.orgs.push_back(std::make_shared<const registry::OrgRecord>(registry::OrgRecord{
          .org = {row.name, {}}, .limits = {}, .problem = loaded.problems.back()}));
      continue;
    }
    registry::OrgRecord record{.org = {row.name, *std::move(limits)}, .limits = {}, .problem = {}};
    record.limits = std::make_shared<const policy::LimitList>(
        policy::limits_of_org(row.name, record.org.limits));
    loaded.records.orgs.push_back(std::make_shared<const registry::OrgRecord>(std::move(record)));
  }
}

}  // namespace

Result<CustomerKey> customer_key_of(const CustomerKeyRow& row) {
  auto settings = registry::key_settings_from_json(row.settings);
  if (!settings) return settings.error();
  CustomerKey key;
  key.settings = *std::move(settings);
  key.id = row.id;
  key.mode = row.mode == "test" ? KeyMode::test : KeyMode::live;
  key.org = row.org;
  key.generation = row.generation;
  key.created_at = row.created_at;
  key.updated_at = row.updated_at;
  key.revoked_at = row.revoked_at;
  key.overlap_until = row.overlap_until;
  return key;
}

Result<store::PepperRow> make_pepper(vault::Vault& vault, std::uint32_t version,
                                     std::string record_id) {
  Secret pepper = Secret::zeros(pepper_size);
  base::random_bytes(pepper.mutable_bytes(), pepper.size());
  auto sealed = vault.seal(binding_of(version, record_id), pepper);
  if (!sealed) return sealed.error();
  return store::PepperRow{version, std::move(record_id), vault.active_version().value_or(0),
                          *std::move(sealed)};
}

Result<Secret> open_pepper(const vault::Vault& vault, const store::PepperRow& row) {
  return vault.open(binding_of(row.version, row.record_id), row.sealed);
}

void CatalogAccess::load_peppers(const RegistryRows& rows, const vault::Vault& vault,
                                 LoadedAccess& loaded) {
  decltype(peppers_) now;
  for (const store::PepperRow& row : rows.peppers) {
    const std::pair place(row.version, row.record_id);
    const auto before = peppers_.find(place);
    std::shared_ptr<const registry::Pepper> pepper;
    if (before != peppers_.end()) {
      pepper = before->second;
    } else if (auto bytes = open_pepper(vault, row)) {
      pepper = std::make_shared<const registry::Pepper>(
          registry::Pepper{row.version, *std::move(bytes)});
    } else {
      loaded.problems.push_back(about("customer keys", "cannot be checked", bytes.error()));
      continue;
    }
    now.emplace(place, pepper);
    loaded.records.peppers.push_back(std::move(pepper));
  }
  peppers_ = std::move(now);
}

void CatalogAccess::load_keys(const RegistryRows& rows, LoadedAccess& loaded) {
  decltype(keys_) now;
  for (const CustomerKeyRow& row : rows.customer_keys) {
    const auto before = keys_.find(row.id);
    std::shared_ptr<const KeyRecord> record;
    const OrgLimits* org = limits_of(loaded, row.org);
    if (org == nullptr) continue;  // told of with the org
    const bool is_known = before != keys_.end() && before->second.row == row;
    if (is_known && before->second.org == *org) {
      record = before->second.record;
    } else if (auto made = record_of(row, *org, waits_)) {
      record = *std::move(made);
    } else {
      loaded.problems.push_back(about("customer key", row.id, made.error()));
      continue;
    }
    now.emplace(row.id, KnownKey{row, *org, record});
    loaded.records.keys.push_back(std::move(record));
  }
  keys_ = std::move(now);
}

LoadedAccess CatalogAccess::load(const RegistryRows& rows, const vault::Vault& vault) {
  LoadedAccess loaded;
  loaded.records.key_prefix = rows.key_prefix;
  load_peppers(rows, vault, loaded);
  load_orgs(rows, loaded);
  load_keys(rows, loaded);
  load_aliases(rows, loaded);
  return loaded;
}

}  // namespace byway::router
