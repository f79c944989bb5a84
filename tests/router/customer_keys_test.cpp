// Customer keys: made once, hashed, checked, rotated, revoked.
#include <atomic>
#include <string>
#include <thread>

#include "policy/customer_key.hpp"
#include "router/access_rig.hpp"
#include "router/caller.hpp"
#include "router/catalog_time.hpp"

namespace byway::router {
namespace {

Result<CustomerKey> set(Admin& admin, std::string_view id, std::string_view field,
                        std::string_view value) {
  const FieldChange change{field, value};
  return admin.set_customer_key(id, std::span(&change, 1));
}

TEST_CASE("a minted key makes calls, and no file of the store holds it", "[customer_keys]") {
  AccessRig rig;
  CustomerKeySettings settings;
  settings.name = "ci";
  settings.rpm = 60;
  settings.rpm_burst = 10;
  const MintedKey minted = must(rig.owner.mint_customer_key(settings, KeyMode::test));
  const std::string key = text_of(minted);
  CHECK(key.starts_with("bw_test_" + minted.record.id + "_"));
  CHECK(rig.call(key, "byo:plain/m") == "sent");
  const CustomerKey shown = must(rig.owner.customer_key(minted.record.id));
  CHECK(shown == minted.record);
  CHECK(shown.settings == settings);
  CHECK(shown.mode == KeyMode::test);
  CHECK(shown.org == "local");
  CHECK(must(rig.owner.customer_keys()).size() == 1);
  rig.router.close();
  CHECK_FALSE(rig.folder.holds(key));
  CHECK_FALSE(rig.folder.holds(key.substr(25, 43)));
}

TEST_CASE("each bad key has its reason, and only the right secret learns of a state",
          "[customer_keys]") {
  AccessRig rig;
  const MintedKey minted = must(rig.owner.mint_customer_key({}));
  const std::string key = text_of(minted);
  CHECK(rig.call("", "byo:plain/m") == "invalid_api_key missing");
  for (const std::string& text :
       {std::string("' OR '1'='1"), std::string(1 << 20, 'a'), std::string("bw_live_\0", 9),
        std::string("\xff\xfe"), key.substr(1), key + "0", "xx" + key.substr(2)}) {
    CHECK(rig.call(text, "byo:plain/m") == "invalid_api_key malformed");
  }
  // Well formed: another id, and this id with another secret.
  const std::string stranger(
      policy::mint_customer_key("bw", KeyMode::live, "0000000000000000").expose_secret());
  const std::string forged(
      policy::mint_customer_key("bw", KeyMode::live, minted.record.id).expose_secret());
  CHECK(rig.call(stranger, "byo:plain/m") == "invalid_api_key unknown");
  CHECK(rig.call(forged, "byo:plain/m") == "invalid_api_key unknown");
  must(rig.owner.revoke_customer_key(minted.record.id));
  CHECK(rig.call(key, "byo:plain/m") == "invalid_api_key revoked");
  CHECK(rig.call(forged, "byo:plain/m") == "invalid_api_key unknown");
  CHECK_FALSE(must(rig.owner.customer_key(minted.record.id)).revoked_at.empty());
}

TEST_CASE("the stored hash is no key", "[customer_keys]") {
  AccessRig rig;
  const std::string key = rig.mint();
  auto store = must(store::RegistryStore::open(rig.folder.store()));
  const auto rows = must(store.load());
  REQUIRE(rows.customer_keys.size() == 1);
  REQUIRE(rows.customer_keys[0].verifier.size() == 32);
  CHECK(rig.call(rows.customer_keys[0].verifier, "byo:plain/m") == "invalid_api_key malformed");
}

TEST_CASE("a key that is given is checked even where none is required", "[customer_keys]") {
  AccessRig rig;
  rig.router = must(Router::open({.store = rig.folder.store(),
                                  .require_key = false,
                                  .transport = std::make_shared<testing::FakeTransport>(),
                                  .clock = rig.clock}));
  CHECK(rig.call("", "byo:plain/m") == "sent");
  CHECK(rig.call("nonsense", "byo:plain/m") == "invalid_api_key malformed");
}

TEST_CASE("a key ends when it says", "[customer_keys]") {
  AccessRig rig;
  const auto until = rig.clock->wall_now() + std::chrono::hours(1);
  CustomerKeySettings settings;
  settings.expires = rfc3339(until);
  const std::string key = rig.mint(settings);
  CHECK(rig.call(key, "byo:plain/m") == "sent");
  rig.clock->advance(until - rig.clock->wall_now() - std::chrono::seconds(1));
  CHECK(rig.call(key, "byo:plain/m") == "sent");
  rig.clock->advance(std::chrono::seconds(1));
  CHECK(rig.call(key, "byo:plain/m") == "invalid_api_key expired");
}

TEST_CASE("a revocation binds the next call here, and others at their next look",
          "[customer_keys]") {
  AccessRig rig;
  const MintedKey minted = must(rig.owner.mint_customer_key({}));
  auto other = open_catalog({.store = rig.folder.store(), .clock = rig.clock});
  const auto state_elsewhere = [&] {
    const auto checked = check_customer_key(other->snapshots().current()->access(), text_of(minted),
                                            rig.clock->wall_now());
    return checked ? "good" : checked.error().reason();
  };
  CHECK(state_elsewhere() == "good");
  must(rig.owner.revoke_customer_key(minted.record.id));
  CHECK(rig.call(text_of(minted), "byo:plain/m") == "invalid_api_key revoked");
  must(other->poll());
  CHECK(state_elsewhere() == "revoked");
  // Again is the same.
  must(rig.owner.revoke_customer_key(minted.record.id));
}

TEST_CASE("a rotation keeps the id, and the old secret for as long as it says", "[customer_keys]") {
  AccessRig rig;
  const MintedKey first = must(rig.owner.mint_customer_key({}));
  const std::string& id = first.record.id;
  const MintedKey second = must(rig.owner.rotate_customer_key(id, std::chrono::hours(1)));
  CHECK(second.record.id == id);
  CHECK(second.record.generation == 2);
  CHECK_FALSE(second.record.overlap_until.empty());
  CHECK(rig.call(text_of(first), "byo:plain/m") == "sent");
  CHECK(rig.call(text_of(second), "byo:plain/m") == "sent");
  rig.clock->advance(std::chrono::hours(1) + std::chrono::seconds(1));
  CHECK(rig.call(text_of(first), "byo:plain/m") == "invalid_api_key expired");
  CHECK(rig.call(text_of(second), "byo:plain/m") == "sent");
  // Without an overlap the old one ends at once.
  const MintedKey third = must(rig.owner.rotate_customer_key(id));
  CHECK(rig.call(text_of(second), "byo:plain/m") == "invalid_api_key unknown");
  CHECK(rig.call(text_of(first), "byo:plain/m") == "invalid_api_key unknown");
  CHECK(rig.call(text_of(third), "byo:plain/m") == "sent");
  CHECK(code_of(rig.owner.rotate_customer_key(id, std::chrono::seconds(-1))) ==
        "registry_field_invalid");
  must(rig.owner.revoke_customer_key(id));
  CHECK(rig.call(text_of(third), "byo:plain/m") == "invalid_api_key revoked");
  CHECK(code_of(rig.owner.rotate_customer_key(id)) == "registry_field_invalid");
}

TEST_CASE("keys are good after the master key is rotated and the store opened again",
          "[customer_keys]") {
  AccessRig rig;
  const std::string key = rig.mint();
  must(rig.owner.rotate_master());
  CHECK(rig.call(key, "byo:plain/m") == "sent");
  CHECK(must(rig.owner.check_vault()).broken.empty());
  rig.transport = std::make_shared<testing::FakeTransport>();
  rig.router = rig.open("local");
  CHECK(rig.call(key, "byo:plain/m") == "sent");
}

TEST_CASE("a store may have a prefix of its own", "[customer_keys]") {
  CatalogFolder folder;
  CHECK(code_of(create_store({.path = folder / "bad.db", .key_prefix = "a_b"})) ==
        "registry_field_invalid");
  must(create_store({.path = folder.store(), .key_prefix = "acme"}));
  auto catalog = open_catalog({.store = folder.store()});
  const MintedKey minted = must(Admin(catalog, "local").mint_customer_key({}));
  CHECK(text_of(minted).starts_with("acme_live_"));
}

TEST_CASE("a value that cannot be kept is refused and nothing is stored", "[customer_keys]") {
  AccessRig rig;
  const MintedKey minted = must(rig.owner.mint_customer_key({}));
  const auto try_set = [&](std::string_view field, std::string_view value) {
    return code_of(set(rig.owner, minted.record.id, field, value));
  };
  for (const std::string_view field :
       {"rpm", "tpm", "in_flight", "cap_day", "cap_month", "cap_tokens_day", "cap_tokens_month",
        "cap_money_month", "rpm_burst"}) {
    for (const std::string_view value :
         {"-1", "nan", "NaN", "inf", "1.5", "", "18446744073709551616", "1e3", "true", " 1"}) {
      CHECK(try_set(field, value) == "registry_field_invalid");
    }
  }
  for (const std::string_view field : {"cap_day", "cap_month", "cap_tokens_day",
                                       "cap_tokens_month", "cap_money_month"}) {
    CHECK(try_set(field, "0") == "registry_field_invalid");
  }
  for (const std::string_view value : {"60/", "/5", "60/-1", "60/5/5", "60/nan"}) {
    CHECK(try_set("rpm", value) == "registry_field_invalid");
  }
  CHECK(try_set("rpm_burst", "5") == "registry_field_invalid");
  CHECK(try_set("colour", "red") == "registry_field_invalid");
  CHECK(try_set("role", "root") == "registry_field_invalid");
  CHECK(try_set("pii", "maybe") == "registry_field_invalid");
  CHECK(try_set("expires", "2027-02-30") == "registry_field_invalid");
  CHECK(try_set("expires", "Europe/Berlin") == "registry_field_invalid");
  CHECK(try_set("name", "a\nb") == "registry_field_invalid");
  for (const std::string_view item : {"gpt-4*/x", "byo:", "byo:plain", "byo:Plain/m", "A B", "*"}) {
    CHECK(try_set("allow", item) == "registry_field_invalid");
  }
  CHECK(must(rig.owner.customer_key(minted.record.id)) == minted.record);
}

TEST_CASE("a field is set from text and shown as it was stored", "[customer_keys]") {
  AccessRig rig;
  const std::string id = must(rig.owner.mint_customer_key({})).record.id;
  const FieldChange changes[] = {{"rpm", "60/10"},          {"tpm", "0"},
                                 {"cap_day", "5"},          {"allow", "byo:plain/*,fast"},
                                 {"expires", "2100-01-31"}, {"role", "admin"},
                                 {"cap_tokens_day", "70"},  {"cap_tokens_month", "800"}};
  const CustomerKeySettings settings = must(rig.owner.set_customer_key(id, changes)).settings;
  CHECK(settings.rpm == 60);
  CHECK(settings.rpm_burst == 10);
  CHECK_FALSE(settings.tpm);  // 0 is none
  CHECK(settings.cap_day == 5);
  CHECK(settings.cap_tokens_day == 70);
  CHECK(settings.cap_tokens_month == 800);
  CHECK(settings.allow == std::vector<std::string>{"byo:plain/*", "fast"});
  CHECK(settings.expires == "2100-01-31T00:00:00Z");
  CHECK(settings.role == Role::admin);
  CHECK(must(rig.owner.customer_key(id)).settings == settings);
  CHECK_FALSE(must(set(rig.owner, id, "rpm", "90")).settings.rpm_burst);
  CHECK_FALSE(must(set(rig.owner, id, "allow", "null")).settings.allow);
  CHECK(must(set(rig.owner, id, "allow", "[]")).settings.allow->empty());
}

TEST_CASE("a money cap needs a price at every endpoint that the key may use", "[customer_keys]") {
  AccessRig rig;
  rig.add("paid", [](auto& settings) {
    settings.price_input = 1;
    settings.price_output = 2;
  });
  CustomerKeySettings settings = allowing({"byo:paid/*"});
  settings.cap_money_month = 1'000'000'000;
  const std::string id = must(rig.owner.mint_customer_key(settings)).record.id;
  settings.allow = std::vector<std::string>{"byo:paid/*", "byo:plain/m"};
  CHECK(code_of(rig.owner.mint_customer_key(settings)) == "registry_field_invalid");
  settings.allow.reset();
  CHECK(code_of(rig.owner.mint_customer_key(settings)) == "registry_field_invalid");
  CHECK(code_of(set(rig.owner, id, "allow", "byo:*")) == "registry_field_invalid");
  // Nor may the price go, nor an endpoint or alias come that has none.
  const FieldChange no_price{"price_input", "null"};
  CHECK(code_of(rig.owner.set_endpoint("paid", std::span(&no_price, 1))) ==
        "registry_field_invalid");
  must(set(rig.owner, id, "allow", "byo:paid/*,cheap"));
  CHECK(code_of(rig.owner.set_alias({.name = "cheap", .models = {{"byo:plain/m", {}}}})) ==
        "registry_field_invalid");
  must(rig.owner.set_alias({.name = "cheap", .models = {{"byo:paid/m", {}}}}));
  must(set(rig.owner, id, "allow", "byo:later/*"));
  CHECK(code_of(rig.owner.add_endpoint(settings_of("later"))) == "registry_field_invalid");
  CHECK(must(rig.owner.customer_keys()).size() == 1);
  CHECK(code_of(rig.owner.endpoint("later")) == "byo_endpoint_not_found");
}

TEST_CASE("an org's money cap needs a price at every enabled endpoint", "[customer_keys]") {
  AccessRig rig;
  const auto cap = [&](std::string_view value) {
    const FieldChange change[] = {{"cap_money_month", value}};
    return code_of(rig.owner.set_org_limits(change));
  };
  const auto change = [&](std::string_view slug, std::string_view field, std::string_view value) {
    const FieldChange changes[] = {{field, value}};
    return code_of(rig.owner.set_endpoint(slug, changes));
  };
  CHECK(cap("5000") == "registry_field_invalid");
  CHECK_FALSE(must(rig.owner.org()).limits.cap_money_month);
  const FieldChange prices[] = {{"price_input", "1"}, {"price_output", "2"}};
  for (const char* slug : {"plain", "few", "euro"}) must(rig.owner.set_endpoint(slug, prices));
  // The one that is disabled needs none, as long as it is.
  CHECK(cap("5000") == "ok");
  CHECK(must(rig.owner.org()).limits.cap_money_month == 5000);
  CHECK(change("off", "enabled", "true") == "registry_field_invalid");
  CHECK(change("plain", "price_output", "null") == "registry_field_invalid");
  CHECK(code_of(rig.owner.add_endpoint(settings_of("later"))) == "registry_field_invalid");
  CHECK(cap("null") == "ok");
  CHECK(change("off", "enabled", "true") == "ok");
}

TEST_CASE("a key row that cannot be read is an unknown key and a notice, nothing else",
          "[customer_keys]") {
  AccessRig rig;
  const MintedKey minted = must(rig.owner.mint_customer_key({}));
  const std::string good = rig.mint();
  {
    auto store = must(store::RegistryStore::open(rig.folder.store()));
    auto row = *must(store.find_customer_key("local", minted.record.id));
    row.settings = R"({"rpm":-1})";
    must(store.put_customer_key(row));
  }
  Notices notices;
  auto catalog = open_catalog({.store = rig.folder.store(), .on_notice = notices.hear()});
  const auto snapshot = catalog->snapshots().current();
  const auto now = rig.clock->wall_now();
  CHECK(check_customer_key(snapshot->access(), text_of(minted), now).error().reason() == "unknown");
  CHECK(check_customer_key(snapshot->access(), good, now));
  REQUIRE(notices.all().size() == 1);
  CHECK(notices.all()[0].message().find(minted.record.id) != std::string::npos);
}

TEST_CASE("a snapshot is read while keys are minted and revoked", "[customer_keys]") {
  AccessRig rig;
  const std::string key = rig.mint();
  std::atomic<bool> is_over{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!is_over.load()) {
        const Explanation told = rig.router.explain({.model = "byo:plain/m", .key = key});
        if (told.refusal) wrong.fetch_add(1);
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    const MintedKey other = must(rig.owner.mint_customer_key({}));
    must(rig.owner.revoke_customer_key(other.record.id));
  }
  is_over.store(true);
  for (auto& reader : readers) reader.join();
  CHECK(wrong.load() == 0);
}

}  // namespace
}  // namespace byway::router
