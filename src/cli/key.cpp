// byway key: the group; list and show.
#include <CLI/CLI.hpp>
#include <memory>

#include <byway/admin.hpp>

#include "cli/commands.hpp"
#include "cli/global_options.hpp"
#include "cli/json.hpp"
#include "cli/key_view.hpp"
#include "cli/output.hpp"

namespace byway::cli {
namespace {

int list(const Admin& admin, const GlobalOptions& globals) {
  const auto keys = admin.customer_keys();
  if (!keys) return report_failed(keys.error(), globals);
  if (globals.is_json) {
    print(json_list(*keys, [](const CustomerKey& key) { return json_of(key); }) + "\n");
    return exit_done;
  }
  if (keys->empty()) {
    note("No customer keys yet: byway key mint --help\n");
    return exit_done;
  }
  std::vector<std::vector<std::string>> rows = {
      {"KEY", "NAME", "MODE", "ROLE", "STATE", "MAY CALL", "LIMITS"}};
  for (const CustomerKey& key : *keys) {
    rows.push_back({key.id, key.settings.name, std::string(name_of(key.mode)),
                    std::string(name_of(key.settings.role)), state_of(key),
                    allow_text(key.settings), limits_text(key.settings)});
  }
  print(table(rows));
  return exit_done;
}

int show(const Admin& admin, const std::string& id, const GlobalOptions& globals) {
  const auto key = admin.customer_key(id);
  if (!key) return report_failed(key.error(), globals);
  print(globals.is_json ? json_of(*key) + "\n" : describe(*key));
  return exit_done;
}

}  // namespace

void add_key(CLI::App& app, GlobalOptions& globals) {
  CLI::App* command = app.add_subcommand("key", "Mint and change customer keys");
  command->require_subcommand(1);
  command->footer(
      "A key is shown once, when it is made; its bare id names it from then on.\n"
      "\nExamples:\n"
      "  byway key mint --name ci --allow 'byo:my-vllm/*' --rpm 60/10 --cap-day 1000\n"
      "  byway key list\n"
      "  byway key set ID cap_day=2000 expires=2027-01-31\n"
      "  byway key rotate ID --overlap 24h\n"
      "  byway key revoke ID");
  add_key_mint(*command, globals);
  command->add_subcommand("list", "List keys by their ids")->callback([&globals] {
    globals.exit_code = with_admin(globals, [&](Admin& admin) { return list(admin, globals); });
  });
  auto id = std::make_shared<std::string>();
  CLI::App* shown = command->add_subcommand("show", "Show one key's record");
  shown->add_option("ID", *id, "Its 16 letters and digits")->required();
  shown->callback([&globals, id] {
    globals.exit_code =
        with_admin(globals, [&](Admin& admin) { return show(admin, *id, globals); });
  });
  add_key_change(*command, globals);
}

}  // namespace byway::cli
