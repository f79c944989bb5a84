#include "cli/global_options.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "cli/output.hpp"

namespace byway::cli {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

void add_global_options(CLI::App& app, GlobalOptions& globals) {
  const char* group = "Everywhere";
  CLI::Option* store = app.add_option("--store", globals.store,
                                      "The store [BYWAY_STORE, else ~/.local/share/byway/byway.db]")
                           ->type_name("FILE")
                           ->group(group);
  app.add_option("--registry", globals.registry, "A TOML file as the registry, instead of a store")
      ->type_name("FILE")
      ->group(group)
      ->excludes(store);
  app.add_option("--key", globals.key, "Call and administer with this customer key")
      ->type_name("KEY")
      ->envname("BYWAY_KEY")
      ->group(group);
  app.add_option("--org", globals.org, "The owner's org; a key brings its own [local]")
      ->type_name("NAME")
      ->envname("BYWAY_ORG")
      ->group(group);
  app.add_option("--master-key-file", globals.master_key_file,
                 "The vault's master key [BYWAY_MASTER_KEY, else STORE.key]")
      ->type_name("FILE")
      ->group(group);
  app.add_flag("--json", globals.is_json, "Answer and fail as JSON")->group(group);
}

std::string store_path(const GlobalOptions& globals) {
  if (!globals.store.empty()) return globals.store;
  if (const std::string store = environment("BYWAY_STORE"); !store.empty()) return store;
  if (const std::string folder = environment("XDG_DATA_HOME"); !folder.empty()) {
    return folder + "/byway/byway.db";
  }
  const std::string home = environment("HOME");
  return home.empty() ? "" : home + "/.local/share/byway/byway.db";
}

KeySource master_key_of(const GlobalOptions& globals) {
  if (globals.master_key_file.empty()) return {};
  return KeySource::file(globals.master_key_file);
}

Result<Router> open_router(const GlobalOptions& globals) {
  RouterOptions options{
      .registry = globals.registry,
      .master_key = master_key_of(globals),
      .org = globals.org,
      .require_key = !globals.key.empty(),
      .on_notice = [is_json = globals.is_json](const Error& error) { report(error, is_json); }};
  if (globals.registry.empty()) {
    options.store = store_path(globals);
    if (options.store.empty()) {
      return Error(ErrorCode::store_not_found, "no store is named: give --store or BYWAY_STORE");
    }
  }
  return Router::open(std::move(options));
}

Result<Admin> admin_of(const Router& router, const GlobalOptions& globals) {
  if (globals.key.empty()) return router.admin_as_owner();
  return router.admin({.key = globals.key});
}

int report_unusable(const Error& error, const GlobalOptions& globals) {
  report(error, globals.is_json);
  return exit_unusable;
}

int report_failed(const Error& error, const GlobalOptions& globals) {
  report(error, globals.is_json);
  return exit_code_of(error);
}

}  // namespace byway::cli
