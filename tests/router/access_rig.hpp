// A router over a store of its own, for tests of who may do what.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <byway/router.hpp>
#include <byway/testing/fake_clock.hpp>
#include <byway/testing/fake_transport.hpp>

#include "router/catalog_rig.hpp"
#include "router/rig.hpp"

namespace byway::router {

inline std::string text_of(const MintedKey& key) {
  return std::string(key.key.expose_secret());
}

/// A whole chat reply with that usage.
inline std::string reply_with(std::int64_t prompt, std::int64_t completion) {
  return R"({"model":"served","choices":[{"index":0,"message":{"content":"x"},)"
         R"("finish_reason":"stop"}],"usage":{"prompt_tokens":)" +
         std::to_string(prompt) + R"(,"completion_tokens":)" + std::to_string(completion) + "}}";
}

inline CustomerKeySettings allowing(std::vector<std::string> items) {
  CustomerKeySettings settings;
  settings.allow = std::move(items);
  return settings;
}

inline CustomerKeySettings in_role(Role role) {
  CustomerKeySettings settings;
  settings.role = role;
  return settings;
}

/// Endpoints: `plain`; `off`, disabled; `few`, for the model `good` alone; `euro`, in the region
/// `eu`, tagged `fast`.
struct AccessRig {
  CatalogFolder folder;
  CreatedStore created = must(create_store({.path = folder.store()}));
  std::shared_ptr<testing::FakeTransport> transport = std::make_shared<testing::FakeTransport>();
  std::shared_ptr<testing::FakeClock> clock = std::make_shared<testing::FakeClock>();
  Router router = open("local");
  Admin owner = router.admin_as_owner();

  AccessRig() {
    add("plain", [](auto&) {});
    add("off", [](auto& settings) { settings.enabled = false; });
    add("few", [](auto& settings) { settings.allow = std::vector<std::string>{"good"}; });
    add("euro", [](auto& settings) {
      settings.region = "eu";
      settings.tags = {"fast"};
    });
  }

  Router open(std::string org) {
    return must(Router::open({.store = folder.store(),
                              .org = std::move(org),
                              .request_bytes_max = 4096,
                              .transport = transport,
                              .clock = clock}));
  }

  /// Another router in the place of the first, administration included.
  void reopen(RouterOptions options) {
    transport = std::make_shared<testing::FakeTransport>();
    options.store = folder.store();
    options.transport = transport;
    options.clock = clock;
    router = must(Router::open(std::move(options)));
    owner = router.admin_as_owner();
  }
  std::size_t sent() const { return transport->requests().size(); }

  template <class Edit>
  void add(const std::string& slug, Edit edit) {
    EndpointSettings settings = settings_of(slug);
    edit(settings);
    must(owner.add_endpoint(settings));
  }

  std::string mint(CustomerKeySettings settings = {}) {
    return text_of(must(owner.mint_customer_key(std::move(settings))));
  }

  /// "sent", or the refusal's name, with its reason where it has one.
  std::string call(std::string_view key, std::string_view model,
                   Operation operation = Operation::chat) {
    const bool has_body = operation != Operation::models;
    auto reply = router
                     .call({.operation = operation,
                            .body = has_body ? std::string_view(R"({"messages":[],"input":""})")
                                             : std::string_view(),
                            .model = model,
                            .key = key})
                     .get();
    return outcome_of(reply);
  }

  static std::string outcome_of(const Result<Response>& reply) {
    if (reply || reply.error().code() == ErrorCode::upstream_error) return "sent";
    const Error& error = reply.error();
    return std::string(error.name()) + (error.reason().empty() ? "" : " " + error.reason());
  }
};

}  // namespace byway::router
