// Aliases: their order, their rules, what they grant.
#include <map>
#include <set>
#include <string>

#include "registry/alias_rules.hpp"
#include "router/access_rig.hpp"
#include "router/admission.hpp"
#include "router/candidates.hpp"

namespace byway::router {
namespace {

Alias alias(std::string name, std::vector<AliasModel> models,
            std::vector<std::string> require = {}) {
  return {.name = std::move(name), .models = std::move(models), .require = std::move(require)};
}

/// Where a call went, or its refusal.
std::string provider_of(AccessRig& rig, std::string_view key, std::string_view model) {
  const Explanation told = rig.router.explain({.model = model, .key = key});
  return told.refusal ? std::string(told.refusal->name()) : told.provider;
}

TEST_CASE("candidates without weights come in the order of the list", "[alias]") {
  const Alias listed = alias("a", {{"byo:one/m", {}}, {"byo:two/m", {}}, {"byo:six/m", {}}});
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    CHECK(candidates_of(listed, seed) ==
          std::vector<std::string_view>{"byo:one/m", "byo:two/m", "byo:six/m"});
  }
}

TEST_CASE("a weighted draw follows the weights, names each once, and repeats for one id",
          "[alias]") {
  const Alias weighted = alias("a", {{"byo:one/m", 1}, {"byo:two/m", 3}, {"byo:six/m", 6}});
  std::map<std::string_view, int> firsts;
  for (int i = 0; i < 100'000; ++i) {
    const std::string id = "bw-req-" + std::to_string(i);
    const auto order = candidates_of(weighted, seed_of(id));
    CHECK(std::set(order.begin(), order.end()).size() == 3);
    ++firsts[order.front()];
    if (i % 100 == 0) CHECK(candidates_of(weighted, seed_of(id)) == order);
  }
  // Three standard deviations are 285, 411 and 465.
  CHECK(std::abs(firsts["byo:one/m"] - 10'000) < 500);
  CHECK(std::abs(firsts["byo:two/m"] - 30'000) < 700);
  CHECK(std::abs(firsts["byo:six/m"] - 60'000) < 800);
}

TEST_CASE("an alias calls its first candidate that passes every rule for itself", "[alias]") {
  AccessRig rig;
  must(rig.owner.set_alias(alias("best", {{"byo:absent/m", {}},
                                          {"byo:off/m", {}},
                                          {"byo:few/bad", {}},
                                          {"byo:euro/m2", {}},
                                          {"byo:plain/m", {}}})));
  const std::string key = rig.mint();
  const Explanation told = rig.router.explain({.model = "best", .key = key});
  CHECK_FALSE(told.refusal);
  CHECK(told.provider == "byo:euro");
  CHECK(told.upstream_model == "m2");
  CHECK(told.alias == "best");
  REQUIRE(told.dropped.size() == 3);
  CHECK(told.dropped[0].model == "byo:absent/m");
  CHECK(told.dropped[0].reason.code() == ErrorCode::byo_endpoint_not_found);
  CHECK(told.dropped[1].reason.code() == ErrorCode::byo_endpoint_disabled);
  CHECK(told.dropped[2].reason.code() == ErrorCode::byo_model_not_allowed);
  // And the wire sees the candidate's own model.
  rig.transport->reply(200, testing::reply_text("hi"));
  auto reply = rig.router.call({.body = R"({"model":"best","messages":[]})", .key = key}).get();
  REQUIRE(reply);
  CHECK(reply->metadata().provider == "byo:euro");
  CHECK(rig.transport->requests()[0].body.find(R"("model":"m2")") != std::string::npos);
}

TEST_CASE("when no candidate passes, the last one's refusal is the call's", "[alias]") {
  AccessRig rig;
  must(rig.owner.set_alias(alias("none", {{"byo:off/m", {}}, {"byo:few/bad", {}}})));
  CHECK(rig.call(rig.mint(), "none") == "byo_model_not_allowed");
}

TEST_CASE("residency and required tags hold for each candidate", "[alias]") {
  AccessRig rig;
  must(rig.owner.set_alias(alias("any", {{"byo:plain/m", {}}, {"byo:euro/m", {}}})));
  must(rig.owner.set_alias(alias("fast", {{"byo:plain/m", {}}, {"byo:euro/m", {}}}, {"fast"})));
  must(rig.owner.set_alias(alias("odd", {{"byo:plain/m", {}}}, {"fast"})));
  CustomerKeySettings pinned;
  pinned.region = "eu";
  CHECK(provider_of(rig, rig.mint(), "any") == "byo:plain");
  CHECK(provider_of(rig, rig.mint(pinned), "any") == "byo:euro");
  CHECK(provider_of(rig, rig.mint(), "fast") == "byo:euro");
  CHECK(provider_of(rig, rig.mint(), "odd") == "request_unsupported");
}

TEST_CASE("naming an alias grants its models through that alias alone", "[alias]") {
  AccessRig rig;
  must(rig.owner.set_alias(alias("mine", {{"byo:plain/m", {}}})));
  must(rig.owner.set_alias(alias("same", {{"byo:plain/m", {}}})));
  const std::string key = rig.mint(allowing({"mine"}));
  CHECK(rig.call(key, "mine") == "sent");
  CHECK(rig.call(key, "same") == "model_not_allowed");
  CHECK(rig.call(key, "byo:plain/m") == "model_not_allowed");
  CHECK(rig.call(key, "byo:plain", Operation::models) == "model_not_allowed");
  // Without a grant each candidate must be in the list itself.
  must(rig.owner.set_alias(alias("two", {{"byo:plain/m", {}}, {"byo:euro/m", {}}})));
  CHECK(provider_of(rig, rig.mint(allowing({"byo:euro/*"})), "two") == "byo:euro");
}

TEST_CASE("a key without rights cannot tell an alias from none", "[alias]") {
  AccessRig rig;
  must(rig.owner.set_alias(alias("there", {{"byo:plain/m", {}}})));
  const std::string key = rig.mint(allowing({"byo:euro/*"}));
  const Explanation there = rig.router.explain({.model = "there", .key = key});
  const Explanation absent = rig.router.explain({.model = "other", .key = key});
  REQUIRE((there.refusal && absent.refusal));
  CHECK(there.refusal->code() == absent.refusal->code());
  std::string message = there.refusal->message();
  CHECK(message.replace(message.find("there"), 5, "other") == absent.refusal->message());
  CHECK(there.dropped.empty());
  CHECK(there.provider.empty());
}

TEST_CASE("the draw of a call is its request id's", "[alias]") {
  AccessRig rig;
  must(rig.owner.set_alias(alias("split", {{"byo:plain/m", 1}, {"byo:euro/m", 1}})));
  auto catalog = open_catalog({.store = rig.folder.store()});
  const auto snapshot = catalog->snapshots().current();
  RouterOptions options;
  options.require_key = false;
  std::set<std::string> slugs;
  for (int i = 0; i < 64; ++i) {
    const std::string id = "bw-req-" + std::to_string(i);
    const auto draw = [&] {
      Admitted admitted;
      REQUIRE(admit(admitted, options, *snapshot, {.body = R"({"model":"split"})"}, false,
                    {.request_id = id}));
      return admitted.entry->endpoint.settings.slug;
    };
    CHECK(draw() == draw());
    slugs.insert(draw());
  }
  CHECK(slugs == std::set<std::string>{"euro", "plain"});
}

TEST_CASE("a call whose endpoint fails goes to no other, by alias or without", "[alias]") {
  AccessRig rig;
  for (const char* slug : {"first", "second"}) {
    rig.add(slug, [&](auto& settings) {
      settings.base_url = "https://" + std::string(slug) + ".example/v1";
    });
  }
  must(rig.owner.set_alias(alias("both", {{"byo:first/m", {}}, {"byo:second/m", {}}})));
  const std::string key = rig.mint();
  for (const char* model : {"both", "byo:first/m"}) {
    rig.transport->reply(500, "{}");
    auto reply =
        rig.router.call({.body = R"({"messages":[]})", .model = model, .key = key}).get();
    REQUIRE_FALSE(reply);
    CHECK(reply.error().endpoint() == "byo:first");
    CHECK_FALSE(reply.error().metadata().is_fallback);
  }
  for (const auto& seen : rig.transport->requests()) {
    CHECK(seen.url == "https://first.example/v1/chat/completions");
  }
  CHECK(rig.transport->requests().size() == 2);
}

TEST_CASE("an alias is listed, replaced, removed and kept through a restart", "[alias]") {
  AccessRig rig;
  const Alias made =
      must(rig.owner.set_alias(alias("one", {{"byo:plain/m", 2}, {"byo:euro/x=y", 3}}, {"fast"})));
  CHECK(must(rig.owner.aliases()) == std::vector<Alias>{made});
  rig.transport = std::make_shared<testing::FakeTransport>();
  rig.router = rig.open("local");
  rig.owner = rig.router.admin_as_owner();
  CHECK(must(rig.owner.aliases()) == std::vector<Alias>{made});
  must(rig.owner.set_alias(alias("one", {{"byo:plain/m", {}}})));
  CHECK(must(rig.owner.aliases())[0].models.size() == 1);
  must(rig.owner.remove_alias("one"));
  CHECK(must(rig.owner.aliases()).empty());
  CHECK(code_of(rig.owner.remove_alias("one")) == "byo_endpoint_not_found");
}

TEST_CASE("aliases travel with the registry, and stand in a registry file", "[alias]") {
  AccessRig rig;
  const Alias made =
      must(rig.owner.set_alias(alias("one", {{"byo:plain/m", 2}, {"byo:off/m", 3}})));
  const std::string text = must(rig.owner.export_registry());
  CHECK(code_of(rig.owner.import_registry(text)) == "registry_duplicate_slug");
  CatalogFolder other;
  must(create_store({.path = other.store()}));
  Admin admin(open_catalog({.store = other.store()}), "local");
  must(admin.import_registry(text));
  CHECK(must(admin.aliases()) == std::vector<Alias>{made});
  CHECK(code_of(admin.import_registry("[[alias]]\nname = \"one\"\nmodels = [\"byo:plain/m\"]\n")) ==
        "registry_duplicate_slug");

  Router from_file = must(Router::open({.registry = other.write("byway.toml", text),
                                        .require_key = false,
                                        .transport = std::make_shared<testing::FakeTransport>()}));
  CHECK(from_file.explain({.model = "one"}).provider == "byo:plain");
  CHECK(must(from_file.admin_as_owner().aliases()) == std::vector<Alias>{made});
  CHECK(code_of(from_file.admin_as_owner().set_alias(made)) == "registry_read_only");
  CHECK(code_of(from_file.admin_as_owner().mint_customer_key({})) == "registry_read_only");
}

TEST_CASE("an alias that cannot be kept is refused", "[alias]") {
  AccessRig rig;
  const auto refuse = [&](const Alias& wanted) {
    CHECK(code_of(rig.owner.set_alias(wanted)) == "registry_field_invalid");
  };
  for (const char* name : {"", "A", "-a", ".a", "a b", "byo:a", "a/b"}) {
    refuse(alias(name, {{"byo:plain/m", {}}}));
  }
  refuse(alias(std::string(65, 'a'), {{"byo:plain/m", {}}}));
  refuse(alias("a", {}));
  refuse(alias("a", {{"other-alias", {}}}));
  refuse(alias("a", {{"byo:*", {}}}));
  refuse(alias("a", {{"byo:plain/m", {}}, {"byo:plain/m", {}}}));
  refuse(alias("a", {{"byo:plain/m", 1}, {"byo:euro/m", {}}}));
  for (const std::int64_t weight : {0, -1, 1'000'001})
    refuse(alias("a", {{"byo:plain/m", weight}}));
  refuse(alias("a", {{"byo:plain/m", {}}}, {"two words"}));
  CHECK(must(rig.owner.aliases()).empty());
  for (const char* text : {"byo:plain/m=nan", "byo:plain/m=1.5", "byo:plain/m="}) {
    CHECK(code_of(registry::alias_model_from_text(text)) == "registry_field_invalid");
  }
}

TEST_CASE("changing an alias that a key's list names needs the right to write keys", "[alias]") {
  AccessRig rig;
  must(rig.owner.set_alias(alias("granted", {{"byo:plain/m", {}}})));
  must(rig.owner.set_alias(alias("free", {{"byo:plain/m", {}}})));
  const MintedKey holder = must(rig.owner.mint_customer_key(allowing({"granted", "future"})));
  Admin editor = must(rig.router.admin({.key = rig.mint(in_role(Role::editor))}));
  must(editor.set_alias(alias("free", {{"byo:euro/m", {}}})));
  CHECK(code_of(editor.set_alias(alias("granted", {{"byo:euro/m", {}}}))) == "policy_forbidden");
  CHECK(code_of(editor.set_alias(alias("future", {{"byo:euro/m", {}}}))) == "policy_forbidden");
  CHECK(code_of(editor.remove_alias("granted")) == "policy_forbidden");
  Admin admin = must(rig.router.admin({.key = rig.mint(in_role(Role::admin))}));
  must(admin.set_alias(alias("granted", {{"byo:euro/m", {}}})));
  must(rig.owner.revoke_customer_key(holder.record.id));
  must(editor.set_alias(alias("granted", {{"byo:plain/m", {}}})));
}

}  // namespace
}  // namespace byway::router
