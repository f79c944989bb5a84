#include "catch.hpp"

#include "store/scratch.hpp"

namespace byway::store {
namespace {

template <class T>
ErrorCode code_of(const Result<T>& result) {
  REQUIRE(!result);
  return result.error().code();
}

Result<std::string> seal_again(const BoundKey& bound) {
  return "again-" + bound.key.record_id;
}

/// Endpoints e0, e1, ... with a key each under version 1, and version 2 active.
RegistryStore store_in_rotation(const std::string& path, int count) {
  RegistryStore store = make_store(path);
  for (int at = 0; at < count; ++at) {
    const std::string id = "e" + std::to_string(at);
    must(store.insert_endpoint(endpoint_row(id, "slug-" + id)));
    must(store.put_sealed_key(key_row(id)));
  }
  must(store.insert_master_key(master_row(MasterKeyState::incoming)));
  must(store.activate_master_key(2));
  return store;
}

}  // namespace

TEST_CASE("a master key goes from incoming to active to outgoing to retired") {
  const ScratchFolder folder;
  RegistryStore store = make_store(folder / "byway.db");
  const auto state = [&](std::size_t at) { return must(store.master_keys()).at(at).state; };
  CHECK(must(store.insert_master_key(master_row(MasterKeyState::incoming))) == 2);
  CHECK(must(store.master_keys()).at(0).kek_id == master_row(MasterKeyState::active).kek_id);
  CHECK(must(store.master_keys()).at(1).check_record.size() == 6);
  CHECK(code_of(store.retire_master_key(1)) == ErrorCode::vault_version_in_use);
  must(store.activate_master_key(2));
  CHECK(state(0) == MasterKeyState::outgoing);
  CHECK(state(1) == MasterKeyState::active);
  CHECK(code_of(store.activate_master_key(1)) == ErrorCode::vault_kek_wrong);
  CHECK(code_of(store.activate_master_key(9)) == ErrorCode::vault_kek_wrong);
  CHECK(state(1) == MasterKeyState::active);
  must(store.retire_master_key(1));
  CHECK(state(0) == MasterKeyState::retired);
  CHECK(must(store.revisions()).vault == 4);
}

TEST_CASE("there is one active master key") {
  const ScratchFolder folder;
  RegistryStore store = make_store(folder / "byway.db");
  CHECK(!store.insert_master_key(master_row(MasterKeyState::active)));
  CHECK(must(store.master_keys()).size() == 1);
}

TEST_CASE("an incoming or retired master key seals nothing") {
  const ScratchFolder folder;
  RegistryStore store = make_store(folder / "byway.db");
  must(store.insert_endpoint(endpoint_row("e0", "zero")));
  must(store.insert_master_key(master_row(MasterKeyState::incoming)));
  SealedKeyRow key = key_row("e0");
  key.master_key_version = 2;
  CHECK(code_of(store.put_sealed_key(key)) == ErrorCode::vault_kek_wrong);
  must(store.activate_master_key(2));
  must(store.retire_master_key(1));
  key.master_key_version = 1;
  CHECK(code_of(store.put_sealed_key(key)) == ErrorCode::vault_kek_wrong);
  key.master_key_version = 7;
  CHECK(code_of(store.put_sealed_key(key)) == ErrorCode::vault_kek_wrong);
  key.master_key_version = 2;
  CHECK(store.put_sealed_key(key));
}

TEST_CASE("an outgoing master key still seals for a process that has not seen the new one") {
  const ScratchFolder folder;
  RegistryStore store = store_in_rotation(folder / "byway.db", 1);
  CHECK(store.put_sealed_key(key_row("e0", 2)));
  CHECK(code_of(store.retire_master_key(1)) == ErrorCode::vault_version_in_use);
}

TEST_CASE("a master key that has sealed its fill seals no more") {
  const ScratchFolder folder;
  RegistryStore store = must(RegistryStore::create(folder / "byway.db"));
  MasterKeyRow worn = master_row(MasterKeyState::active);
  worn.wraps = static_cast<std::uint64_t>(wraps_max) - 1;
  must(store.insert_master_key(worn));
  must(store.insert_endpoint(endpoint_row("e0", "zero")));
  CHECK(store.put_sealed_key(key_row("e0", 1)));
  CHECK(code_of(store.put_sealed_key(key_row("e0", 2))) == ErrorCode::vault_wrap_limit);
  CHECK(must(store.find_sealed_key("e0", "key"))->generation == 1);
}

TEST_CASE("a re-wrap goes through all records in batches and counts what it seals") {
  const ScratchFolder folder;
  RegistryStore store = store_in_rotation(folder / "byway.db", 7);
  RewrapStep step = must(store.rewrap_batch(1, 2, "", 3, seal_again));
  CHECK(step.rewrapped == 3);
  CHECK(step.remaining == 4);
  CHECK(code_of(store.retire_master_key(1)) == ErrorCode::vault_version_in_use);
  step = must(store.rewrap_batch(1, 2, step.next, 3, seal_again));
  CHECK(step.remaining == 1);
  step = must(store.rewrap_batch(1, 2, step.next, 3, seal_again));
  CHECK(step.rewrapped == 1);
  CHECK(step.remaining == 0);
  CHECK(step.next.empty());
  const RegistryRows rows = must(store.load());
  for (const SealedKeyRow& key : rows.sealed_keys) {
    CHECK(key.master_key_version == 2);
    CHECK(key.sealed == "again-" + key.record_id);
    CHECK(key.generation == 1);
  }
  CHECK(rows.master_keys.at(0).wraps == 7);
  CHECK(rows.master_keys.at(1).wraps == 7);
  CHECK(store.retire_master_key(1));
}

TEST_CASE("the re-wrap is told where a record is bound") {
  const ScratchFolder folder;
  RegistryStore store = store_in_rotation(folder / "byway.db", 1);
  must(store.rewrap_batch(1, 2, "", 10, [](const BoundKey& bound) -> Result<std::string> {
    CHECK(bound.org == "local");
    CHECK(bound.slug == "slug-e0");
    CHECK(bound.origin == "https://models.example:443");
    CHECK(bound.key == key_row("e0"));
    return std::string("x");
  }));
}

TEST_CASE("a record that does not open stops neither the others nor the next step") {
  const ScratchFolder folder;
  RegistryStore store = store_in_rotation(folder / "byway.db", 5);
  const auto fussy = [](const BoundKey& bound) -> Result<std::string> {
    if (bound.key.endpoint_id == "e2") return Error(ErrorCode::vault_ciphertext_corrupt, "torn");
    return seal_again(bound);
  };
  std::string start;
  std::size_t rewrapped = 0;
  std::vector<std::string> failed;
  do {
    RewrapStep step = must(store.rewrap_batch(1, 2, start, 2, fussy));
    rewrapped += step.rewrapped;
    for (const auto& failure : step.failed) failed.push_back(failure.first);
    CHECK(step.remaining == static_cast<std::int64_t>(5 - rewrapped));
    start = step.next;
  } while (!start.empty());
  CHECK(rewrapped == 4);
  CHECK(failed == std::vector<std::string>{"rec-e2-1"});
  CHECK(must(store.find_sealed_key("e2", "key")) == key_row("e2"));
  CHECK(code_of(store.retire_master_key(1)) == ErrorCode::vault_version_in_use);
}

TEST_CASE("a re-wrap goes to the active master key alone") {
  const ScratchFolder folder;
  RegistryStore store = store_in_rotation(folder / "byway.db", 2);
  CHECK(code_of(store.rewrap_batch(2, 1, "", 10, seal_again)) == ErrorCode::vault_kek_wrong);
  CHECK(code_of(store.rewrap_batch(2, 2, "", 10, seal_again)) == ErrorCode::vault_kek_wrong);
  CHECK(code_of(store.rewrap_batch(1, 3, "", 10, seal_again)) == ErrorCode::vault_kek_wrong);
}

}  // namespace byway::store
