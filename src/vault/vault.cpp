#include "vault/vault.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace byway::vault {
namespace {

/// No endpoint has an empty org and slug, so a check record is never taken for a sealed key.
constexpr Binding check_binding = {.field = "check"};
constexpr std::string_view check_text = "byway check record";

Error not_here(std::uint32_t version) {
  return Error(ErrorCode::vault_kek_wrong,
               "master key version " + std::to_string(version) + " was not given");
}

}  // namespace

Result<std::string> make_check_record(const MasterKey& key) {
  return seal(key, check_binding, check_text);
}

Result<void> verify_check_record(const MasterKey& key, std::string_view check_record) {
  Result<RecordKey> record_key = unlock(key, check_record);
  if (!record_key) {
    if (record_key.error().code() != ErrorCode::vault_kek_wrong) return record_key.error();
    return Error(ErrorCode::vault_kek_wrong,
                 "the master key is not the one this store was made with; give the right one");
  }
  Result<Secret> text = record_key->open(check_binding, check_record);
  if (!text) return text.error();
  return {};
}

void Vault::add(MasterKey key, std::uint64_t wraps) {
  const std::lock_guard lock(mutex_);
  const std::uint32_t version = key.version();
  const auto at = std::lower_bound(
      entries_.begin(), entries_.end(), version,
      [](const Entry& entry, std::uint32_t wanted) { return entry.key.version() < wanted; });
  if (at != entries_.end() && at->key.version() == version) {
    *at = Entry{std::move(key), wraps};
  } else {
    entries_.insert(at, Entry{std::move(key), wraps});
  }
}

void Vault::remove(std::uint32_t version) {
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const Entry& entry) { return entry.key.version() == version; });
  if (active_ == version) active_.reset();
}

Result<void> Vault::activate(std::uint32_t version) {
  const std::lock_guard lock(mutex_);
  if (find(version) == nullptr) return not_here(version);
  active_ = version;
  return {};
}

std::optional<std::uint32_t> Vault::active_version() const {
  const std::shared_lock lock(mutex_);
  return active_;
}

std::vector<std::uint32_t> Vault::versions() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::uint32_t> versions;
  for (const Entry& entry : entries_) versions.push_back(entry.key.version());
  return versions;
}

std::uint64_t Vault::wraps(std::uint32_t version) const {
  const std::shared_lock lock(mutex_);
  const Entry* entry = find(version);
  return entry == nullptr ? 0 : entry->wraps;
}

Vault::Entry* Vault::find(std::uint32_t version) {
  for (Entry& entry : entries_) {
    if (entry.key.version() == version) return &entry;
  }
  return nullptr;
}

const Vault::Entry* Vault::find(std::uint32_t version) const {
  return const_cast<Vault*>(this)->find(version);
}

Result<std::string> Vault::seal(const Binding& binding, std::string_view secret) {
  const std::lock_guard lock(mutex_);
  if (!active_) return Error(ErrorCode::vault_no_key, "no master key is there to seal under");
  return seal_under(*active_, binding, secret);
}

Result<std::string> Vault::seal(const Binding& binding, const Secret& secret) {
  return seal(binding, secret.expose_secret());
}

Result<std::string> Vault::seal_under(std::uint32_t version, const Binding& binding,
                                      std::string_view secret) {
  Entry* entry = find(version);
  if (entry == nullptr) return not_here(version);
  if (entry->wraps >= wraps_max) {
    return Error(ErrorCode::vault_wrap_limit,
                 "master key version " + std::to_string(version) +
                     " has sealed as many records as it safely can; rotate the master key");
  }
  // Counted even when it fails: the count may be too high and never too low.
  ++entry->wraps;
  return vault::seal(entry->key, binding, secret);
}

Result<RecordKey> Vault::unlock(std::string_view sealed) const {
  Result<SealedHeader> header = read_header(sealed);
  if (!header) return header.error();
  const std::shared_lock lock(mutex_);
  if (entries_.empty())
    return Error(ErrorCode::vault_no_key, "no master key is there to open with");
  for (const Entry& entry : entries_) {
    if (entry.key.id_view() == header->kek_id) return vault::unlock(entry.key, sealed);
  }
  // An unknown id may be a damaged one. The commitment says whether one of our keys sealed the box.
  for (const Entry& entry : entries_) {
    Result<RecordKey> unlocked = vault::unlock(entry.key, sealed);
    if (!unlocked && unlocked.error().code() != ErrorCode::vault_kek_wrong) return unlocked;
  }
  return Error(ErrorCode::vault_kek_wrong,
               "a sealed key was sealed under a master key that was not given (its version " +
                   std::to_string(header->kek_version) + ")");
}

Result<Secret> Vault::open(const Binding& binding, std::string_view sealed) const {
  Result<RecordKey> record_key = unlock(sealed);
  if (!record_key) return record_key.error();
  return record_key->open(binding, sealed);
}

Result<std::string> Vault::rewrap(const Binding& binding, std::string_view sealed,
                                  std::uint32_t to_version) {
  Result<Secret> secret = open(binding, sealed);
  if (!secret) return secret.error();
  const std::lock_guard lock(mutex_);
  return seal_under(to_version, binding, secret->expose_secret());
}

}  // namespace byway::vault
