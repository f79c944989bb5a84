// The order of enforcement, steps 1 to 8, one test per adjacent pair: each request breaks both
// rules of its pair, and the earlier one answers.
#include "router/admission.hpp"

#include <string>

#include "router/access_rig.hpp"

namespace byway::router {
namespace {

std::string refusal_of(AccessRig& rig, Request request) {
  return AccessRig::outcome_of(rig.router.call(request).get());
}

CustomerKeySettings pinned_to(std::string region) {
  CustomerKeySettings settings;
  settings.region = std::move(region);
  return settings;
}

TEST_CASE("steps 1 and 2: a body too large is refused before the key is looked at", "[admission]") {
  AccessRig rig;
  const std::string large(8192, ' ');
  CHECK(refusal_of(rig, {.body = large, .key = "nonsense"}) == "request_too_large");
}

TEST_CASE("steps 2 and 3: a bad key is refused before the body is read", "[admission]") {
  AccessRig rig;
  CHECK(refusal_of(rig, {.body = "no json", .key = "nonsense"}) == "invalid_api_key malformed");
  CHECK(refusal_of(rig, {.body = "no json"}) == "invalid_api_key missing");
}

TEST_CASE("right after step 2: a role without calls is refused before the body is read",
          "[admission]") {
  AccessRig rig;
  const std::string viewer = rig.mint(in_role(Role::viewer));
  CHECK(refusal_of(rig, {.body = "no json", .key = viewer}) == "policy_forbidden");
}

TEST_CASE("steps 3 and 4: a model id that is none is told before the key's list is asked",
          "[admission]") {
  AccessRig rig;
  const std::string nothing = rig.mint(allowing({}));
  CHECK(refusal_of(rig, {.body = "no json", .key = nothing}) == "request_invalid_json");
  CHECK(refusal_of(rig, {.body = R"({"model":"byo:X/m"})", .key = nothing}) ==
        "request_invalid_model");
}

TEST_CASE("steps 4 and 5: a key learns nothing of endpoints outside its list", "[admission]") {
  AccessRig rig;
  const std::string key = rig.mint(allowing({"byo:plain/*"}));
  CHECK(rig.call(key, "byo:absent/m") == "model_not_allowed");
  CHECK(rig.call(key, "byo:off/m") == "model_not_allowed");
  CHECK(rig.call(key, "byo:few/bad") == "model_not_allowed");
  CHECK(rig.call(key, "no-such-alias") == "model_not_allowed");
  auto absent = rig.router.call({.body = "{}", .model = "byo:absent/m", .key = key}).get();
  auto there = rig.router.call({.body = "{}", .model = "byo:off/m", .key = key}).get();
  std::string message = there.error().message();
  message.replace(message.find("off"), 3, "absent");
  CHECK(message == absent.error().message());
  CHECK(there.error().endpoint().empty());
}

TEST_CASE("steps 5 and 6: an endpoint of another org is absent, enabled or not", "[admission]") {
  AccessRig rig;
  Router theirs = rig.open("acme");
  EndpointSettings settings = settings_of("theirs");
  settings.enabled = false;
  must(theirs.admin_as_owner().add_endpoint(settings));
  // This router's own snapshot, brought up to date by a change of its own.
  const std::string key = rig.mint();
  CHECK(rig.call(key, "byo:theirs/m") == "byo_endpoint_not_found");
  CHECK(rig.call(key, "byo:absent/m") == "byo_endpoint_not_found");
  CHECK(rig.call(key, "no-such-alias") == "byo_endpoint_not_found");
}

TEST_CASE("steps 6 and 7: a disabled endpoint is told before its list", "[admission]") {
  AccessRig rig;
  rig.add("both", [](auto& settings) {
    settings.enabled = false;
    settings.allow = std::vector<std::string>{};
  });
  CHECK(rig.call(rig.mint(), "byo:both/m") == "byo_endpoint_disabled");
}

TEST_CASE("steps 7 and 8: the endpoint's list is told before residency", "[admission]") {
  AccessRig rig;
  const std::string key = rig.mint(pinned_to("us"));
  CHECK(rig.call(key, "byo:few/bad") == "byo_model_not_allowed");
  CHECK(rig.call(key, "byo:few/good") == "provider_not_permitted");
}

TEST_CASE("step 8 and then: residency is told before what the dialect lacks", "[admission]") {
  AccessRig rig;
  rig.add("tei", [](auto& settings) { settings.dialect = "tei"; });
  CHECK(rig.call(rig.mint(pinned_to("us")), "byo:tei/m") == "provider_not_permitted");
  CHECK(rig.call(rig.mint(), "byo:tei/m") == "request_unsupported");
}

TEST_CASE("a refusal sends nothing and names its request", "[admission]") {
  AccessRig rig;
  auto reply = rig.router.call({.body = "{}", .model = "byo:off/m", .key = rig.mint()}).get();
  REQUIRE_FALSE(reply);
  CHECK(reply.error().sent() == Sent::no);
  CHECK(reply.error().request_id().starts_with("bw-req-"));
  CHECK(reply.error().status() == 403);
  CHECK(reply.error().type() == "permission_error");
  CHECK(rig.transport->requests().empty());
}

TEST_CASE("a key pinned to a region uses endpoints that declare it, and no others", "[admission]") {
  AccessRig rig;
  const std::string eu = rig.mint(pinned_to("eu"));
  CHECK(rig.call(eu, "byo:euro/m") == "sent");
  CHECK(rig.call(eu, "byo:plain/m") == "provider_not_permitted");
  CHECK(rig.call(rig.mint(pinned_to("us")), "byo:euro/m") == "provider_not_permitted");
}

TEST_CASE("an allow item names one model, one endpoint or all, and nothing by pattern",
          "[admission]") {
  AccessRig rig;
  const auto outcomes = [&](std::vector<std::string> items, std::string_view model) {
    return rig.call(rig.mint(allowing(std::move(items))), model);
  };
  CHECK(outcomes({"byo:plain/gpt-4o"}, "byo:plain/gpt-4o") == "sent");
  CHECK(outcomes({"byo:plain/gpt-4o"}, "byo:plain/gpt-4o-evil") == "model_not_allowed");
  CHECK(outcomes({"byo:plain/gpt-4o"}, "byo:plain/GPT-4o") == "model_not_allowed");
  CHECK(outcomes({"byo:plain/gpt-4o"}, "byo:euro/gpt-4o") == "model_not_allowed");
  CHECK(outcomes({"byo:plain/gpt-4*"}, "byo:plain/gpt-4o") == "model_not_allowed");
  CHECK(outcomes({"byo:plain/gpt-4*"}, "byo:plain/gpt-4*") == "sent");
  CHECK(outcomes({"byo:plain/a/*"}, "byo:plain/a/b") == "model_not_allowed");
  CHECK(outcomes({"byo:plain/*"}, "byo:plain/a/b") == "sent");
  CHECK(outcomes({"byo:plain/*"}, "byo:euro/m") == "model_not_allowed");
  CHECK(outcomes({"byo:*"}, "byo:euro/m") == "sent");
  CHECK(outcomes({}, "byo:plain/m") == "model_not_allowed");
}

TEST_CASE("every operation asks the same rules", "[admission]") {
  AccessRig rig;
  const std::string key = rig.mint(allowing({"byo:plain/*", "byo:off/*"}));
  for (const Operation operation : {Operation::chat, Operation::completions, Operation::embeddings,
                                    Operation::responses, Operation::rerank, Operation::models}) {
    CAPTURE(name_of(operation));
    const bool has_model = operation != Operation::models;
    const auto model = [&](std::string slug) { return "byo:" + slug + (has_model ? "/m" : ""); };
    CHECK(rig.call("", model("plain"), operation) == "invalid_api_key missing");
    CHECK(rig.call(key, model("euro"), operation) == "model_not_allowed");
    CHECK(rig.call(key, model("off"), operation) == "byo_endpoint_disabled");
    CHECK(rig.call(key, model("plain"), operation) == "sent");
  }
  Stream stream =
      rig.router.stream({.body = R"({"messages":[]})", .model = "byo:euro/m", .key = key});
  while (stream.next() != nullptr) {
  }
  CHECK(code_of(stream.result()) == "model_not_allowed");
}

TEST_CASE("a list of models shows what both allowlists name", "[admission]") {
  AccessRig rig;
  must(rig.owner.set_alias({.name = "one", .models = {{"byo:plain/b", {}}}}));
  const auto ids = [&](std::string_view key, std::string_view model) {
    rig.transport->reply(200, R"({"object":"list","data":[{"id":"good"},{"id":"a"},{"id":"b"}]})");
    auto reply =
        rig.router.call({.operation = Operation::models, .model = model, .key = key}).get();
    std::string text;
    const Response listed = must(std::move(reply));
    for (const Item& item : listed.items()) text += item.id + " ";
    return text;
  };
  CHECK(ids(rig.mint(), "byo:plain") == "good a b ");
  CHECK(ids(rig.mint(), "byo:few") == "good ");
  CHECK(ids(rig.mint(allowing({"byo:plain/a", "byo:few/b"})), "byo:plain") == "a ");
  CHECK(ids(rig.mint(allowing({"byo:plain/a", "byo:few/b"})), "byo:few").empty());
  CHECK(ids(rig.mint(allowing({"one"})), "one") == "b ");
  CHECK(ids(rig.mint(allowing({"byo:*"})), "byo:plain") == "good a b ");
}

TEST_CASE("the record that a call is admitted under is handed on", "[admission]") {
  AccessRig rig;
  const MintedKey minted = must(rig.owner.mint_customer_key({}));
  const std::string key = text_of(minted);
  auto catalog = open_catalog({.store = rig.folder.store()});
  RouterOptions options;
  options.clock = rig.clock;
  Admitted admitted;
  REQUIRE(admit(admitted, options, *catalog->snapshots().current(),
                {.body = R"({"model":"byo:plain/m"})", .key = key}, false));
  REQUIRE(admitted.key);
  CHECK(admitted.key->key == minted.record);
  CHECK(admitted.org == "local");
  REQUIRE(admitted.limits);
}

}  // namespace
}  // namespace byway::router
