// byway org: orgs and what holds for all of their calls.
#include <CLI/CLI.hpp>
#include <memory>

#include <byway/admin.hpp>

#include "cli/commands.hpp"
#include "cli/global_options.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"

namespace byway::cli {
namespace {

std::string json_of(const Org& org) {
  return Json()
      .text("name", org.name)
      .number("cap_day", org.limits.cap_day)
      .number("cap_month", org.limits.cap_month)
      .number("cap_tokens_day", org.limits.cap_tokens_day)
      .number("cap_tokens_month", org.limits.cap_tokens_month)
      .number("cap_money_month", org.limits.cap_money_month)
      .text_or_null("pii", org.limits.pii)
      .text_or_null("audit", org.limits.audit)
      .str();
}

std::string number_text(std::optional<std::int64_t> value) {
  return value ? std::to_string(*value) : "none";
}

int tell(const Result<Org>& org, const GlobalOptions& globals) {
  if (!org) return report_failed(org.error(), globals);
  const OrgLimits& limits = org->limits;
  print(globals.is_json ? json_of(*org) + "\n"
                        : aligned({{"org", org->name},
                                   {"requests per day", number_text(limits.cap_day)},
                                   {"requests per month", number_text(limits.cap_month)},
                                   {"tokens per day", number_text(limits.cap_tokens_day)},
                                   {"tokens per month", number_text(limits.cap_tokens_month)},
                                   {"money per month", number_text(limits.cap_money_month)},
                                   {"PII", limits.pii},
                                   {"audit", limits.audit.empty() ? "relaxed" : limits.audit}}));
  return exit_done;
}

int list(const Admin& admin, const GlobalOptions& globals) {
  const auto orgs = admin.orgs();
  if (!orgs) return report_failed(orgs.error(), globals);
  if (globals.is_json) {
    print(json_list(*orgs, [](const Org& org) { return json_of(org); }) + "\n");
    return exit_done;
  }
  std::vector<std::vector<std::string>> rows = {
      {"ORG", "DAY", "MONTH", "TOKENS/DAY", "TOKENS/MONTH", "MONEY/MONTH", "PII", "AUDIT"}};
  for (const Org& org : *orgs) {
    const OrgLimits& limits = org.limits;
    rows.push_back({org.name, number_text(limits.cap_day), number_text(limits.cap_month),
                    number_text(limits.cap_tokens_day), number_text(limits.cap_tokens_month),
                    number_text(limits.cap_money_month), limits.pii,
                    limits.audit.empty() ? "relaxed" : limits.audit});
  }
  print(table(rows));
  return exit_done;
}

struct LimitOptions {
  std::string cap_day = {};
  std::string cap_month = {};
  std::string cap_tokens_day = {};
  std::string cap_tokens_month = {};
  std::string cap_money_month = {};
  std::string pii = {};
  std::string audit = {};
};

int limits(Admin& admin, const LimitOptions& options, const GlobalOptions& globals) {
  std::vector<FieldChange> changes;
  const auto add = [&](const char* field, const std::string& value) {
    if (!value.empty()) changes.push_back({field, value});
  };
  add("cap_day", options.cap_day);
  add("cap_month", options.cap_month);
  add("cap_tokens_day", options.cap_tokens_day);
  add("cap_tokens_month", options.cap_tokens_month);
  add("cap_money_month", options.cap_money_month);
  add("pii", options.pii);
  add("audit", options.audit);
  return tell(changes.empty() ? admin.org() : admin.set_org_limits(changes), globals);
}

void add_limits(CLI::App& org, GlobalOptions& globals) {
  CLI::App* command = org.add_subcommand("limits", "Show or change what holds for the whole org");
  auto options = std::make_shared<LimitOptions>();
  const auto cap = [&](const char* flag, std::string& value, const char* what) {
    command->add_option(flag, value, what + std::string("; null for none"))->type_name("N");
  };
  cap("--cap-day", options->cap_day, "Requests per UTC day");
  cap("--cap-month", options->cap_month, "Requests per UTC month");
  cap("--cap-tokens-day", options->cap_tokens_day, "Tokens per UTC day, prompt and output");
  cap("--cap-tokens-month", options->cap_tokens_month, "Tokens per UTC month, prompt and output");
  cap("--cap-money-month", options->cap_money_month,
      "Nano-dollars per UTC month ($25 is 25000000000); needs prices");
  command->add_option("--pii", options->pii, "off; this version knows no other")->type_name("MODE");
  command->add_option("--audit", options->audit, "relaxed or strict")->type_name("MODE");
  command->footer(
      "Of the org of --org, or of the one that --key belongs to.\n"
      "\nExample:\n  byway org limits --cap-day 10000");
  command->callback([&globals, options] {
    globals.exit_code =
        with_admin(globals, [&](Admin& admin) { return limits(admin, *options, globals); });
  });
}

}  // namespace

void add_org(CLI::App& app, GlobalOptions& globals) {
  CLI::App* command = app.add_subcommand("org", "Orgs and their limits");
  command->require_subcommand(1);
  command->footer(
      "Examples:\n  byway org create acme\n  byway --org acme org limits --cap-day 500");
  auto name = std::make_shared<std::string>();
  CLI::App* creating = command->add_subcommand("create", "Make an org");
  creating->add_option("NAME", *name, "1 to 64 of a-z, 0-9, '.', '_' and '-'")->required();
  creating->callback([&globals, name] {
    globals.exit_code =
        with_admin(globals, [&](Admin& admin) { return tell(admin.create_org(*name), globals); });
  });
  command->add_subcommand("list", "List the store's orgs")->callback([&globals] {
    globals.exit_code = with_admin(globals, [&](Admin& admin) { return list(admin, globals); });
  });
  add_limits(*command, globals);
}

}  // namespace byway::cli
