// byway endpoint set, enable, disable, rotate, remove.
#include <CLI/CLI.hpp>
#include <memory>

#include <byway/admin.hpp>

#include "cli/commands.hpp"
#include "cli/endpoint_view.hpp"
#include "cli/field_changes.hpp"
#include "cli/global_options.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"
#include "cli/upstream_key.hpp"

namespace byway::cli {
namespace {

struct ChangeOptions {
  std::string slug = {};
  std::vector<std::string> changes = {};
  KeyOptions key = {};
};

int tell(const Endpoint& endpoint, const std::string& sentence, const GlobalOptions& globals) {
  print(globals.is_json ? json_of(endpoint) + "\n" : sentence + "\n");
  return exit_done;
}

int set(Router& router, const ChangeOptions& options, const GlobalOptions& globals) {
  const auto changes = field_changes(options.changes);
  if (!changes) return report_usage(changes.error().message(), globals.is_json);
  const Result<UpstreamKey> key = UpstreamKey::read(options.key);
  if (!key) return report_failed(key.error(), globals);
  auto admin = admin_of(router, globals);
  if (!admin) return report_failed(admin.error(), globals);
  const auto stored = admin->set_endpoint(options.slug, *changes, key->view());
  if (!stored) return report_failed(stored.error(), globals);
  for (const std::string& warning : stored->warnings)
    note("byway: warning: " + one_line(warning) + "\n");
  return tell(stored->endpoint, "changed byo:" + stored->endpoint.settings.slug, globals);
}

int enable(Router& router, const std::string& slug, bool is_enabled, const GlobalOptions& globals) {
  auto admin = admin_of(router, globals);
  if (!admin) return report_failed(admin.error(), globals);
  const auto endpoint = admin->set_enabled(slug, is_enabled);
  if (!endpoint) return report_failed(endpoint.error(), globals);
  return tell(*endpoint, (is_enabled ? "enabled byo:" : "disabled byo:") + slug, globals);
}

int rotate(Router& router, const ChangeOptions& options, const GlobalOptions& globals) {
  const Result<UpstreamKey> key = UpstreamKey::read(options.key);
  if (!key) return report_failed(key.error(), globals);
  auto admin = admin_of(router, globals);
  if (!admin) return report_failed(admin.error(), globals);
  const auto endpoint = admin->rotate_key(options.slug, key->view().value_or(std::string_view()));
  if (!endpoint) return report_failed(endpoint.error(), globals);
  return tell(*endpoint,
              "byo:" + options.slug + " now uses " + endpoint->key_preview + " (generation " +
                  std::to_string(endpoint->key_generation) + ")",
              globals);
}

int remove(Router& router, const std::string& slug, const GlobalOptions& globals) {
  auto admin = admin_of(router, globals);
  if (!admin) return report_failed(admin.error(), globals);
  const auto removed = admin->remove_endpoint(slug);
  if (!removed) return report_failed(removed.error(), globals);
  print(globals.is_json ? Json().text("removed", slug).str() + "\n"
                        : "removed byo:" + slug + " and destroyed its key\n");
  return exit_done;
}

CLI::App* add_command(CLI::App& endpoint, const char* name, const char* what,
                      const std::shared_ptr<ChangeOptions>& options) {
  CLI::App* command = endpoint.add_subcommand(name, what);
  command->add_option("SLUG", options->slug, "Its short name")->required();
  return command;
}

void add_set(CLI::App& endpoint, GlobalOptions& globals) {
  auto options = std::make_shared<ChangeOptions>();
  CLI::App* command = add_command(endpoint, "set", "Change fields of an endpoint", options);
  command->add_option("CHANGES", options->changes, "FIELD=VALUE, one or more")->required();
  add_key_options(*command, options->key, false);
  command->footer(
      "Fields are those of the registry file. Lists take items with commas between, or a JSON\n"
      "array; `null` takes an optional field away. All changes are made or none. A new scheme,\n"
      "host or port needs the key again.\n"
      "\nExamples:\n"
      "  byway endpoint set my-vllm default_model=my-model allow=my-model,other-model\n"
      "  byway endpoint set my-vllm timeouts.first_token_ms=60000 region=eu\n"
      "  byway endpoint set my-vllm base_url=https://new-host/v1 --key-env VLLM_KEY");
  command->callback([&globals, options] {
    globals.exit_code =
        with_router(globals, [&](Router& router) { return set(router, *options, globals); });
  });
}

void add_enabled(CLI::App& endpoint, GlobalOptions& globals, const char* name, const char* what,
                 bool is_enabled) {
  auto options = std::make_shared<ChangeOptions>();
  CLI::App* command = add_command(endpoint, name, what, options);
  command->callback([&globals, options, is_enabled] {
    globals.exit_code = with_router(globals, [&](Router& router) {
      return enable(router, options->slug, is_enabled, globals);
    });
  });
}

void add_rotate(CLI::App& endpoint, GlobalOptions& globals) {
  auto options = std::make_shared<ChangeOptions>();
  CLI::App* command = add_command(endpoint, "rotate", "Replace an endpoint's key", options);
  add_key_options(*command, options->key, false);
  command->footer(
      "Calls in flight end with the old key, new calls use the new one.\n"
      "\nExample:\n  byway endpoint rotate my-vllm --key-stdin < new-key.txt");
  command->callback([&globals, options] {
    globals.exit_code =
        !options->key.is_given()
            ? report_usage("say where the new key is: --key-stdin or --key-env NAME",
                           globals.is_json)
            : with_router(globals,
                          [&](Router& router) { return rotate(router, *options, globals); });
  });
}

void add_remove(CLI::App& endpoint, GlobalOptions& globals) {
  auto options = std::make_shared<ChangeOptions>();
  CLI::App* command =
      add_command(endpoint, "remove", "Remove an endpoint and destroy its key", options);
  command->callback([&globals, options] {
    globals.exit_code = with_router(
        globals, [&](Router& router) { return remove(router, options->slug, globals); });
  });
}

}  // namespace

void add_endpoint_change(CLI::App& endpoint, GlobalOptions& globals) {
  add_set(endpoint, globals);
  add_enabled(endpoint, globals, "enable", "Let calls through", true);
  add_enabled(endpoint, globals, "disable", "Refuse calls, keep everything else", false);
  add_rotate(endpoint, globals);
  add_remove(endpoint, globals);
}

}  // namespace byway::cli
