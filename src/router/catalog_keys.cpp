#include "router/catalog_keys.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace byway::router {
namespace {

using store::MasterKeyRow;
using store::MasterKeyState;

constexpr const char* master_key_variable = "BYWAY_MASTER_KEY";

bool is_needed(const MasterKeyRow& row) {
  return row.state == MasterKeyState::active || row.state == MasterKeyState::outgoing;
}

}  // namespace

std::string key_file_of(const std::string& store) {
  return store + ".key";
}
std::string next_key_file_of(const std::string& store) {
  return store + ".key.new";
}

Result<std::optional<Secret>> find_master_key(const KeySource& given) {
  const char* variable = std::getenv(master_key_variable);
  const bool has_variable = variable != nullptr && *variable != '\0';
  if (!given.is_given() && !has_variable) return std::optional<Secret>();
  auto key = given.is_given() ? given.load() : KeySource::environment(master_key_variable).load();
  if (!key) return key.error();
  return std::optional<Secret>(*std::move(key));
}

Result<std::unique_ptr<CatalogKeys>> CatalogKeys::load(std::string store, const KeySource& source) {
  std::unique_ptr<CatalogKeys> keys(new CatalogKeys());
  keys->store_ = std::move(store);
  auto key = find_master_key(source);
  if (!key) return key.error();
  keys->is_default_file_ = !key->has_value();
  Result<void> read = *key ? keys->add(std::move(**key)) : keys->read_default_files();
  if (!read) return read.error();
  return keys;
}

Result<void> CatalogKeys::read_default_files() {
  Result<Secret> key = KeySource::file(key_file_of(store_)).load();
  // A file that was cut short while it was written is no key; nothing was sealed under it yet.
  Result<Secret> next = KeySource::file(next_key_file_of(store_)).load();
  if (!key) {
    if (key.error().code() != ErrorCode::vault_no_key) return key.error();
    if (!next) {
      return Error(ErrorCode::vault_no_key, "there is no master key: set " +
                                                std::string(master_key_variable) +
                                                ", name a key, or put back " + key_file_of(store_));
    }
  }
  if (key) {
    if (Result<void> added = add(*std::move(key)); !added) return added;
  }
  if (!next) return {};
  return add(*std::move(next));
}

Result<void> CatalogKeys::add(Secret key) {
  if (key.size() != vault::master_key_size) {
    return Error(ErrorCode::vault_key_format, "a master key is 32 bytes");
  }
  const bool is_here =
      std::any_of(keys_.begin(), keys_.end(), [&](const Secret& known) { return known == key; });
  if (!is_here) keys_.push_back(std::move(key));
  return {};
}

Result<std::string> CatalogKeys::kek_id_of(const Secret& key) {
  auto master_key = vault::MasterKey::make(key.clone(), 1);
  if (!master_key) return master_key.error();
  return std::string(master_key->id_view());
}

Result<MasterKeyRow> CatalogKeys::make_row(const Secret& key, MasterKeyState state) {
  auto master_key = vault::MasterKey::make(key.clone(), 1);
  if (!master_key) return master_key.error();
  auto check_record = vault::make_check_record(*master_key);
  if (!check_record) return check_record.error();
  MasterKeyRow row;
  row.kek_id = master_key->id_view();
  row.state = state;
  row.check_record = *std::move(check_record);
  return row;
}

bool CatalogKeys::has(std::uint32_t version) const {
  const auto versions = vault_.versions();
  return std::find(versions.begin(), versions.end(), version) != versions.end();
}

Result<void> CatalogKeys::match_known(const std::vector<MasterKeyRow>& rows) {
  for (const MasterKeyRow& row : rows) {
    if (row.state == MasterKeyState::retired) {
      vault_.remove(row.version);
      continue;
    }
    for (const Secret& key : keys_) {
      if (has(row.version)) break;
      auto master_key = vault::MasterKey::make(key.clone(), row.version);
      if (!master_key) return master_key.error();
      if (master_key->id_view() != row.kek_id) continue;
      // The id tells which key it should be, the check record proves it.
      Result<void> verified = vault::verify_check_record(*master_key, row.check_record);
      if (!verified) return verified;
      vault_.add(*std::move(master_key), row.wraps);
    }
    if (row.state == MasterKeyState::active && has(row.version)) {
      if (Result<void> done = vault_.activate(row.version); !done) return done;
    }
  }
  return {};
}

Result<void> CatalogKeys::match(const std::vector<MasterKeyRow>& rows) {
  if (Result<void> matched = match_known(rows); !matched) return matched;
  const auto is_missing = [&](const MasterKeyRow& row) {
    return row.state != MasterKeyState::retired && !has(row.version);
  };
  if (is_default_file_ && std::any_of(rows.begin(), rows.end(), is_missing)) {
    if (Result<void> read = read_default_files(); !read) return read;
    if (Result<void> matched = match_known(rows); !matched) return matched;
  }
  const bool has_any = std::any_of(rows.begin(), rows.end(), [&](const MasterKeyRow& row) {
    return is_needed(row) && has(row.version);
  });
  if (has_any) return {};
  return Error(ErrorCode::vault_kek_wrong,
               "the master key is not the one " + store_ + " was made with; give the right one");
}

}  // namespace byway::router
