// Rotation of the master key: resumable, safe to kill at any step.
//
// With a default key file the steps are: the new key into "<store>.key.new", durable; an incoming
// row with its check record; active, the old one outgoing; re-wraps, 500 a transaction; the old one
// retired; "<store>.key.new" renamed over "<store>.key". Until the rename both files are read at
// open, so each record opens after a kill anywhere.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "router/catalog_audit.hpp"
#include "router/catalog_desk.hpp"
#include "store/file_system.hpp"

namespace byway::router {
namespace {

using store::MasterKeyRow;
using store::MasterKeyState;

constexpr std::size_t records_per_step = 500;

class Rotation {
 public:
  Rotation(CatalogDesk& desk, std::string_view org) : desk_(desk), org_(org) {}

  Result<MasterRotation> run(const KeySource& new_key);

 private:
  Result<void> look();
  const MasterKeyRow* row_of(MasterKeyState state) const;
  Result<bool> resume();
  Result<void> begin(const Secret& key);
  Result<void> activate(std::uint32_t version);
  Result<void> rewrap_all();
  Result<void> rewrap(std::uint32_t from);
  Result<store::RewrapStep> rewrap_step(std::uint32_t from, std::string_view start);
  Result<Secret> next_file_key();
  Result<bool> settle_file();

  CatalogDesk& desk_;
  std::string_view org_;
  std::vector<MasterKeyRow> rows_;
  MasterRotation done_;
};

Error needs_other_key(std::uint32_t version) {
  return Error(ErrorCode::vault_kek_wrong,
               "a rotation of the master key is not finished, and the key of its version " +
                   std::to_string(version) + " is not here; open with one key and give the other");
}

Result<void> Rotation::look() {
  auto rows = desk_.store.master_keys();
  if (!rows) return rows.error();
  rows_ = *std::move(rows);
  return desk_.keys.match(rows_);
}

const MasterKeyRow* Rotation::row_of(MasterKeyState state) const {
  for (const MasterKeyRow& row : rows_) {
    if (row.state == state) return &row;
  }
  return nullptr;
}

/// Finishes what was begun; whether there was anything.
Result<bool> Rotation::resume() {
  const MasterKeyRow* incoming = row_of(MasterKeyState::incoming);
  const MasterKeyRow* outgoing = row_of(MasterKeyState::outgoing);
  if (incoming != nullptr && desk_.keys.has(incoming->version)) {
    if (Result<void> done = activate(incoming->version); !done) return done.error();
  } else if (incoming != nullptr && outgoing == nullptr) {
    // Its key is lost, and nothing was sealed under it.
    Result<void> retired = desk_.store.retire_master_key(incoming->version);
    if (!retired) return retired.error();
    if (Result<void> looked = look(); !looked) return looked.error();
  }
  if (row_of(MasterKeyState::outgoing) == nullptr) return settle_file();
  if (Result<void> done = rewrap_all(); !done) return done.error();
  return true;
}

Result<void> Rotation::activate(std::uint32_t version) {
  Result<void> done = desk_.store.transact([&]() -> Result<void> {
    if (Result<void> active = desk_.store.activate_master_key(version); !active) return active;
    return record(desk_, {org_, {}, "vault.rotate", std::to_string(version)});
  });
  return done ? look() : done;
}

/// A row for the key, then everything under it.
Result<void> Rotation::begin(const Secret& key) {
  auto row = CatalogKeys::make_row(key, MasterKeyState::incoming);
  if (!row) return row.error();
  const MasterKeyRow* active = row_of(MasterKeyState::active);
  if (active != nullptr && active->kek_id == row->kek_id) {
    return Error(ErrorCode::vault_no_change, "the new master key is the one in use");
  }
  if (Result<void> added = desk_.keys.add(key.clone()); !added) return added;
  std::uint32_t version = 0;
  Result<void> done = desk_.store.transact([&]() -> Result<void> {
    auto now = desk_.store.master_keys();
    if (!now) return now.error();
    if (now->size() != rows_.size()) {
      return Error(ErrorCode::vault_kek_wrong, "another process is rotating the master key");
    }
    auto inserted = desk_.store.insert_master_key(*row);
    if (!inserted) return inserted.error();
    version = *inserted;
    return {};
  });
  if (!done) return done;
  if (done = look(); !done) return done;
  if (done = activate(version); !done) return done;
  return rewrap_all();
}

Result<void> Rotation::rewrap_all() {
  done_.broken.clear();
  const MasterKeyRow* active = row_of(MasterKeyState::active);
  if (active == nullptr || !desk_.keys.has(active->version)) {
    return needs_other_key(active == nullptr ? 0 : active->version);
  }
  done_.version = active->version;
  const std::vector<MasterKeyRow> rows = rows_;
  for (const MasterKeyRow& row : rows) {
    if (row.state != MasterKeyState::outgoing) continue;
    if (!desk_.keys.has(row.version)) return needs_other_key(row.version);
    if (Result<void> done = rewrap(row.version); !done) return done;
  }
  if (Result<void> looked = look(); !looked) return looked;
  auto settled = settle_file();
  if (!settled) return settled.error();
  return {};
}

Result<store::RewrapStep> Rotation::rewrap_step(std::uint32_t from, std::string_view start) {
  const auto seal_again = [&](const store::BoundKey& bound) -> Result<std::string> {
    const vault::Binding place{.org = bound.org,
                               .slug = bound.slug,
                               .origin = bound.origin,
                               .field = bound.key.field,
                               .record_id = bound.key.record_id,
                               .generation = bound.key.generation};
    auto sealed = desk_.keys.vault().rewrap(place, bound.key.sealed, done_.version);
    if (!sealed) done_.broken.push_back(BrokenKey{bound.org, bound.slug, sealed.error()});
    return sealed;
  };
  return desk_.store.rewrap_batch(from, done_.version, start, records_per_step, seal_again);
}

/// All records of one master key, which is retired when none is left. Another process may seal
/// under it meanwhile, so the walk is repeated while it finds some.
Result<void> Rotation::rewrap(std::uint32_t from) {
  const auto broken_before = static_cast<std::ptrdiff_t>(done_.broken.size());
  for (;;) {
    const std::size_t before = done_.rewrapped;
    done_.broken.erase(done_.broken.begin() + broken_before, done_.broken.end());
    std::string start;
    std::int64_t remaining = 0;
    do {
      auto step = rewrap_step(from, start);
      if (!step) return step.error();
      done_.rewrapped += step->rewrapped;
      remaining = step->remaining;
      start = step->next;
    } while (!start.empty());
    if (remaining == 0) {
      Result<void> retired = desk_.store.retire_master_key(from);
      if (retired || retired.error().code() != ErrorCode::vault_version_in_use) return retired;
    } else if (done_.rewrapped == before) {
      return {};
    }
  }
}

/// The key that waits beside the default file, made when there is none.
Result<Secret> Rotation::next_file_key() {
  const std::string path = next_key_file_of(desk_.keys.store());
  auto waiting = KeySource::file(path).load();
  if (waiting) return waiting;
  if (waiting.error().code() == ErrorCode::vault_key_format) {
    // It was cut short while it was written, before anything could be sealed under it.
    ::unlink(path.c_str());
  } else if (waiting.error().code() != ErrorCode::vault_no_key) {
    return waiting;
  }
  Secret key = generate_master_key();
  if (Result<void> written = write_key_file(path, key); !written) return written.error();
  return key;
}

/// Puts the waiting key file in place once no record needs another; whether there was one.
Result<bool> Rotation::settle_file() {
  if (!desk_.keys.is_default_file() || row_of(MasterKeyState::outgoing) != nullptr) return false;
  const MasterKeyRow* active = row_of(MasterKeyState::active);
  const std::string next = next_key_file_of(desk_.keys.store());
  auto waiting = KeySource::file(next).load();
  if (!waiting || active == nullptr) return false;
  auto id = CatalogKeys::kek_id_of(*waiting);
  if (!id) return id.error();
  if (*id != active->kek_id) return false;
  const std::string path = key_file_of(desk_.keys.store());
  if (::rename(next.c_str(), path.c_str()) != 0) {
    return Error(ErrorCode::store_io_error,
                 "cannot rename " + next + ": " + std::generic_category().message(errno));
  }
  if (Result<void> synced = store::sync_folder(path); !synced) return synced.error();
  done_.version = active->version;
  return true;
}

Result<MasterRotation> Rotation::run(const KeySource& new_key) {
  std::optional<std::string> given_id;
  std::optional<Secret> given;
  if (new_key.is_given()) {
    auto key = new_key.load();
    if (!key) return key.error();
    auto id = CatalogKeys::kek_id_of(*key);
    if (!id) return id.error();
    if (Result<void> added = desk_.keys.add(key->clone()); !added) return added.error();
    given = *std::move(key);
    given_id = *std::move(id);
  }
  if (Result<void> looked = look(); !looked) return looked.error();
  // One that is known and not active is given to help a rotation to its end, not to begin another.
  const bool is_known = std::any_of(rows_.begin(), rows_.end(), [&](const MasterKeyRow& row) {
    return row.kek_id == given_id && row.state != MasterKeyState::retired;
  });
  auto resumed = resume();
  if (!resumed) return resumed.error();
  if (*resumed && (!given || is_known)) return std::move(done_);
  if (!given) {
    if (!desk_.keys.is_default_file()) {
      return Error(ErrorCode::vault_no_key,
                   "the master key is not in the default key file, so the new one must be given");
    }
    auto next = next_file_key();
    if (!next) return next.error();
    given = *std::move(next);
  }
  if (Result<void> done = begin(*given); !done) return done.error();
  return std::move(done_);
}

}  // namespace

Result<MasterRotation> rotate_master(CatalogDesk& desk, const KeySource& new_key,
                                     std::string_view org) {
  return Rotation(desk, org).run(new_key);
}

}  // namespace byway::router
