// byway key mint, rotate: where a customer key is shown, once.
#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>

#include <byway/admin.hpp>

#include "cli/commands.hpp"
#include "cli/global_options.hpp"
#include "cli/json.hpp"
#include "cli/key_view.hpp"
#include "cli/output.hpp"

namespace byway::cli {
namespace {

struct MintOptions {
  CustomerKeySettings settings = {};
  std::vector<std::string> allow = {};
  std::string rpm = {};
  std::string role = "caller";
  bool is_test = false;
};

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

/// "60" or "60/10".
bool read_rpm(const std::string& text, CustomerKeySettings& settings) {
  if (text.empty()) return true;
  const std::size_t slash = text.find('/');
  settings.rpm = number_of(std::string_view(text).substr(0, slash));
  if (slash == std::string::npos) return settings.rpm.has_value();
  settings.rpm_burst = number_of(std::string_view(text).substr(slash + 1));
  return settings.rpm && settings.rpm_burst;
}

Role role_of(const std::string& text) {
  for (const Role role : {Role::admin, Role::editor, Role::viewer}) {
    if (name_of(role) == text) return role;
  }
  return Role::caller;
}

/// "90s", "30m", "24h" or "7d".
std::optional<std::chrono::seconds> duration_of(std::string_view text) {
  if (text.empty()) return {};
  const auto count = number_of(text.substr(0, text.size() - 1));
  if (!count || *count < 0 || *count > 1'000'000'000) return {};
  switch (text.back()) {
    case 's': return std::chrono::seconds(*count);
    case 'm': return std::chrono::seconds(*count * 60);
    case 'h': return std::chrono::seconds(*count * 3600);
    case 'd': return std::chrono::seconds(*count * 86400);
    default: return {};
  }
}

/// The key alone on standard output, so that a shell can keep it.
int tell(const MintedKey& minted, const GlobalOptions& globals) {
  const CustomerKey& key = minted.record;
  const std::string_view text = minted.key.expose_secret();
  if (globals.is_json) {
    print(Json()
              .text("id", key.id)
              .text("key", text)
              .text("name", key.settings.name)
              .text("mode", name_of(key.mode))
              .str() +
          "\n");
    return exit_done;
  }
  print(std::string(text) + "\n");
  note("Shown this once: only a hash of it is kept. Its id is " + key.id + "\n");
  if (!key.overlap_until.empty()) {
    note("The old one is taken until " + key.overlap_until + "\n");
  }
  return exit_done;
}

int mint(Admin& admin, const MintOptions& options, const GlobalOptions& globals) {
  const auto minted =
      admin.mint_customer_key(options.settings, options.is_test ? KeyMode::test : KeyMode::live);
  if (!minted) return report_failed(minted.error(), globals);
  return tell(*minted, globals);
}

void add_limit_options(CLI::App& command, MintOptions& options) {
  const char* group = "Limits (none when left out)";
  CustomerKeySettings& settings = options.settings;
  command.add_option("--rpm", options.rpm, "Requests per minute, and how many at once [RPM]")
      ->type_name("N[/BURST]")
      ->group(group);
  const auto number = [&](const char* flag, std::optional<std::int64_t>& value, const char* what) {
    command.add_option(flag, value, what)->type_name("N")->group(group);
  };
  number("--tpm", settings.tpm, "Tokens per minute");
  number("--in-flight", settings.in_flight, "Calls at a time");
  number("--cap-day", settings.cap_day, "Requests per UTC day");
  number("--cap-month", settings.cap_month, "Requests per UTC month");
  number("--cap-tokens-day", settings.cap_tokens_day, "Tokens per UTC day, prompt and output");
  number("--cap-tokens-month", settings.cap_tokens_month,
         "Tokens per UTC month, prompt and output");
  number("--cap-money-month", settings.cap_money_month,
         "Nano-dollars per UTC month ($25 is 25000000000); needs prices");
  command.add_option("--expires", settings.expires, "Until when it is good, in UTC")
      ->type_name("TIME")
      ->group(group);
}

void add_mint(CLI::App& key, GlobalOptions& globals) {
  CLI::App* command = key.add_subcommand("mint", "Make a key and show it, once");
  auto options = std::make_shared<MintOptions>();
  command->add_option("--name", options->settings.name, "A name for people")->type_name("TEXT");
  command->add_flag("--test", options->is_test, "A test key: limited alike, recorded as test");
  command->add_option("--role", options->role, "admin, editor, viewer or caller [caller]")
      ->type_name("ROLE")
      ->check(CLI::IsMember({"admin", "editor", "viewer", "caller"}).description(""));
  CLI::Option* allow =
      command
          ->add_option("--allow", options->allow,
                       "byo:SLUG/MODEL, 'byo:SLUG/*', 'byo:*' or an alias; repeatable [all]")
          ->type_name("ITEM")
          ->allow_extra_args(false);
  command->add_option("--region", options->settings.region, "Only endpoints of this region")
      ->type_name("WORD");
  command->add_option("--pii", options->settings.pii, "off; this version knows no other")
      ->type_name("MODE");
  add_limit_options(*command, *options);
  command->footer(
      "The key goes to standard output, everything else to standard error.\n"
      "\nExamples:\n"
      "  byway key mint --name ci --allow 'byo:my-vllm/*' --rpm 60/10\n"
      "  BYWAY_KEY=$(byway key mint --name me) byway chat byo:my-vllm/my-model Hello");
  command->callback([&globals, options, allow] {
    if (!read_rpm(options->rpm, options->settings)) {
      globals.exit_code = report_usage("--rpm takes N or N/BURST", globals.is_json);
      return;
    }
    options->settings.role = role_of(options->role);
    if (allow->count() > 0) options->settings.allow = options->allow;
    globals.exit_code =
        with_admin(globals, [&](Admin& admin) { return mint(admin, *options, globals); });
  });
}

void add_rotate(CLI::App& key, GlobalOptions& globals) {
  CLI::App* command = key.add_subcommand("rotate", "Make a new secret for a key and show it, once");
  auto id = std::make_shared<std::string>();
  auto overlap = std::make_shared<std::string>("0s");
  command->add_option("ID", *id, "Its 16 letters and digits")->required();
  command->add_option("--overlap", *overlap, "How long the old one is taken too [0s]")
      ->type_name("TIME");
  command->footer("Id, limits and history stay.\n\nExample:\n  byway key rotate ID --overlap 24h");
  command->callback([&globals, id, overlap] {
    const auto time = duration_of(*overlap);
    if (!time) {
      globals.exit_code = report_usage("--overlap takes 90s, 30m, 24h or 7d", globals.is_json);
      return;
    }
    globals.exit_code = with_admin(globals, [&](Admin& admin) {
      const auto minted = admin.rotate_customer_key(*id, *time);
      return minted ? tell(*minted, globals) : report_failed(minted.error(), globals);
    });
  });
}

}  // namespace

void add_key_mint(CLI::App& key, GlobalOptions& globals) {
  add_mint(key, globals);
  add_rotate(key, globals);
}

}  // namespace byway::cli
