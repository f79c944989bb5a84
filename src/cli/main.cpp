// byway: the command line. A thin face over the library: it does nothing that a program could not
// do through Router and Admin.
#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>

#include <byway/version.hpp>

#include "cli/commands.hpp"
#include "cli/did_you_mean.hpp"
#include "cli/global_options.hpp"
#include "cli/output.hpp"

namespace byway::cli {
namespace {

constexpr const char* first_steps =
    "First steps:\n"
    "  byway init\n"
    "  byway endpoint add my-vllm --url http://localhost:8000/v1 --key-env VLLM_KEY\n"
    "  byway chat byo:my-vllm/my-model \"Hello\"\n"
    "\n"
    "`byway COMMAND --help` says more and gives examples.\n"
    "Exit codes: 0 done, 1 the call or check failed, 2 wrong usage, 3 store, vault or\n"
    "configuration cannot be used.";

int parse_failed(const CLI::App& app, const CLI::ParseError& error, int count, char** arguments) {
  // --help and --version end here too, well.
  if (error.get_exit_code() == 0) {
    std::ostringstream text;
    app.exit(error, text, text);
    print(text.str());
    return is_output_good() ? exit_done : exit_failed;
  }
  bool is_json = false;
  for (int i = 1; i < count; ++i) is_json = is_json || std::string_view(arguments[i]) == "--json";
  std::string message = did_you_mean(app, count, arguments);
  if (message.empty()) message = error.what();
  return report_usage(message + " (byway --help)", is_json);
}

int run(int count, char** arguments) {
  CLI::App app("Calls your own models, with keys that stay sealed.", "byway");
  app.set_version_flag("--version", BYWAY_VERSION, "Print the version")->group("Everywhere");
  app.get_help_ptr()->group("Everywhere");
  app.footer(first_steps);
  app.require_subcommand(1);
  // Global options may stand behind the command too.
  app.fallthrough();
  GlobalOptions globals;
  add_global_options(app, globals);
  add_init(app, globals);
  add_endpoint(app, globals);
  add_alias(app, globals);
  add_key(app, globals);
  add_org(app, globals);
  add_usage(app, globals);
  add_audit(app, globals);
  add_chat(app, globals);
  add_call(app, globals);
  add_explain(app, globals);
  add_vault(app, globals);
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return parse_failed(app, error, count, arguments);
  }
  if (globals.exit_code == exit_done && !is_output_good()) return exit_failed;
  return globals.exit_code;
}

}  // namespace
}  // namespace byway::cli

int main(int count, char** arguments) {
  // A reader that goes away is a failed write, not the end.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return byway::cli::run(count, arguments);
  } catch (const std::exception& error) {
    byway::cli::report(byway::Error(byway::ErrorCode::internal_error, error.what()), false);
    return byway::cli::exit_failed;
  }
}
