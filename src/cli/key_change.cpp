// byway key set, revoke.
#include <CLI/CLI.hpp>
#include <memory>

#include <byway/admin.hpp>

#include "cli/commands.hpp"
#include "cli/field_changes.hpp"
#include "cli/global_options.hpp"
#include "cli/key_view.hpp"
#include "cli/output.hpp"

namespace byway::cli {
namespace {

int tell(const Result<CustomerKey>& key, const char* done, const GlobalOptions& globals) {
  if (!key) return report_failed(key.error(), globals);
  print(globals.is_json ? json_of(*key) + "\n" : done + key->id + "\n");
  return exit_done;
}

int set(Admin& admin, const std::string& id, const std::vector<std::string>& texts,
        const GlobalOptions& globals) {
  const auto changes = field_changes(texts);
  if (!changes) return report_usage(changes.error().message(), globals.is_json);
  return tell(admin.set_customer_key(id, *changes), "changed ", globals);
}

}  // namespace

void add_key_change(CLI::App& key, GlobalOptions& globals) {
  auto id = std::make_shared<std::string>();
  auto changes = std::make_shared<std::vector<std::string>>();
  CLI::App* setting = key.add_subcommand("set", "Change fields of a key");
  setting->add_option("ID", *id, "Its 16 letters and digits")->required();
  setting->add_option("CHANGES", *changes, "FIELD=VALUE, one or more")->required();
  setting->footer(
      "Fields: name role allow rpm rpm_burst tpm in_flight cap_day cap_month cap_tokens_day\n"
      "cap_tokens_month cap_money_month region pii expires. `null` takes a limit or the list\n"
      "away; allow=[] allows nothing. All changes are made or none, and hold for the next call.\n"
      "\nExample:\n  byway key set ID rpm=120/20 allow='byo:my-vllm/*,fast'");
  setting->callback([&globals, id, changes] {
    globals.exit_code =
        with_admin(globals, [&](Admin& admin) { return set(admin, *id, *changes, globals); });
  });
  CLI::App* revoking = key.add_subcommand("revoke", "End a key for good");
  auto revoked = std::make_shared<std::string>();
  revoking->add_option("ID", *revoked, "Its 16 letters and digits")->required();
  revoking->footer("Every process refuses it within a second; calls in flight end as they would.");
  revoking->callback([&globals, revoked] {
    globals.exit_code = with_admin(globals, [&](Admin& admin) {
      return tell(admin.revoke_customer_key(*revoked), "revoked ", globals);
    });
  });
}

}  // namespace byway::cli
