// byway endpoint list, show: what is registered, keys masked.
#include <CLI/CLI.hpp>
#include <algorithm>

#include <byway/router.hpp>

#include "cli/commands.hpp"
#include "cli/endpoint_view.hpp"
#include "cli/global_options.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"

namespace byway::cli {
namespace {

bool opens(const Health& health, const std::string& slug) {
  const auto& broken = health.broken_endpoints;
  return std::find(broken.begin(), broken.end(), slug) == broken.end();
}

int list(Router& router, const GlobalOptions& globals) {
  auto admin = admin_of(router, globals);
  if (!admin) return report_failed(admin.error(), globals);
  const auto endpoints = admin->endpoints();
  if (!endpoints) return report_failed(endpoints.error(), globals);
  const Health health = router.health();
  if (globals.is_json) {
    print(json_list(*endpoints,
                    [&](const Endpoint& endpoint) {
                      return json_of(endpoint, opens(health, endpoint.settings.slug));
                    }) +
          "\n");
    return exit_done;
  }
  if (endpoints->empty()) {
    note("No endpoints yet: byway endpoint add --help\n");
    return exit_done;
  }
  std::vector<std::vector<std::string>> rows = {
      {"ENDPOINT", "URL", "KEY", "STATE", "MODELS", "DIALECT"}};
  for (const Endpoint& endpoint : *endpoints) {
    const EndpointSettings& settings = endpoint.settings;
    const std::string state = !opens(health, settings.slug) ? "key does not open"
                              : settings.enabled            ? "enabled"
                                                            : "disabled";
    rows.push_back({"byo:" + settings.slug, settings.base_url,
                    endpoint.has_key ? endpoint.key_preview : "none", state, allow_text(endpoint),
                    settings.dialect.starts_with('{') ? "changed" : settings.dialect});
  }
  print(table(rows));
  return exit_done;
}

int show(Router& router, const std::string& slug, const GlobalOptions& globals) {
  auto admin = admin_of(router, globals);
  if (!admin) return report_failed(admin.error(), globals);
  const auto endpoint = admin->endpoint(slug);
  if (!endpoint) return report_failed(endpoint.error(), globals);
  const bool is_good = opens(router.health(), slug);
  print(globals.is_json ? json_of(*endpoint, is_good) + "\n" : describe(*endpoint, is_good));
  return exit_done;
}

}  // namespace

void add_endpoint_list(CLI::App& endpoint, GlobalOptions& globals) {
  CLI::App* command = endpoint.add_subcommand("list", "List endpoints, keys masked");
  command->callback([&globals] {
    globals.exit_code = with_router(globals, [&](Router& router) { return list(router, globals); });
  });
}

void add_endpoint_show(CLI::App& endpoint, GlobalOptions& globals) {
  CLI::App* command = endpoint.add_subcommand("show", "Show one endpoint, its key masked");
  auto slug = std::make_shared<std::string>();
  command->add_option("SLUG", *slug, "Its short name")->required();
  command->callback([&globals, slug] {
    globals.exit_code =
        with_router(globals, [&](Router& router) { return show(router, *slug, globals); });
  });
}

}  // namespace byway::cli
