// GlobalOptions: what every command shares: which store, which key, how to answer.
#pragma once

#include <string>

#include <byway/result.hpp>
#include <byway/router.hpp>

namespace CLI {
class App;
}

namespace byway::cli {

struct GlobalOptions {
  std::string store = {};
  std::string registry = {};
  /// The customer key; a secret of the caller's, so it is in no output.
  std::string key = {};
  std::string org = "local";
  std::string master_key_file = {};
  bool is_json = false;
  /// What the command that ran ended with.
  int exit_code = 0;
};

void add_global_options(CLI::App& app, GlobalOptions& globals);

/// --store, BYWAY_STORE, $XDG_DATA_HOME/byway/byway.db or ~/.local/share/byway/byway.db; empty when
/// none can be told.
std::string store_path(const GlobalOptions& globals);

/// The file of --master-key-file; by default the library's own rule.
KeySource master_key_of(const GlobalOptions& globals);

/// The router of --registry or of the store. Notices go to standard error. Without a customer key
/// the caller is the owner.
Result<Router> open_router(const GlobalOptions& globals);

/// Administration as the holder of --key, else as the owner of --org. Code: invalid_api_key.
Result<Admin> admin_of(const Router& router, const GlobalOptions& globals);

/// Opens the router and runs `command(Router&) -> int`; exit code 3 when it does not open.
template <class Command>
int with_router(const GlobalOptions& globals, Command command);

/// The same with `command(Admin&) -> int`.
template <class Command>
int with_admin(const GlobalOptions& globals, Command command);

/// Reports and gives exit code 3.
int report_unusable(const Error& error, const GlobalOptions& globals);
/// Reports and gives the error's own exit code.
int report_failed(const Error& error, const GlobalOptions& globals);

template <class Command>
int with_router(const GlobalOptions& globals, Command command) {
  Result<Router> router = open_router(globals);
  if (!router) return report_unusable(router.error(), globals);
  return command(*router);
}

template <class Command>
int with_admin(const GlobalOptions& globals, Command command) {
  return with_router(globals, [&](Router& router) {
    Result<Admin> admin = admin_of(router, globals);
    return admin ? command(*admin) : report_failed(admin.error(), globals);
  });
}

}  // namespace byway::cli
