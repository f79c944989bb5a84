// byway vault: master keys, re-wrapping, and whether every key opens.
#include <CLI/CLI.hpp>
#include <memory>

#include <byway/admin.hpp>

#include "cli/commands.hpp"
#include "cli/global_options.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"

namespace byway::cli {
namespace {

std::string broken_json(const std::vector<BrokenKey>& broken) {
  return json_list(broken, [](const BrokenKey& key) {
    return Json()
        .text("org", key.org)
        .text("slug", key.slug)
        .text("code", key.error.name())
        .text("message", key.error.message())
        .str();
  });
}

void note_broken(const std::vector<BrokenKey>& broken) {
  for (const BrokenKey& key : broken) {
    note("byway: " + std::string(key.error.name()) + ": " +
         one_line("byo:" + key.slug + " (" + key.org + "): " + key.error.message()) + "\n");
  }
}

int status(Router& router, const GlobalOptions& globals) {
  auto admin = admin_of(router, globals);
  if (!admin) return report_failed(admin.error(), globals);
  const auto told = admin->vault_status();
  if (!told) return report_failed(told.error(), globals);
  if (globals.is_json) {
    const std::string keys = json_list(told->master_keys, [](const MasterKeyStatus& key) {
      return Json()
          .number("version", std::int64_t{key.version})
          .text("state", key.state)
          .number("records", key.records)
          .number("seals", static_cast<std::int64_t>(key.seals))
          .flag("present", key.is_present)
          .str();
    });
    print(Json().raw("master_keys", keys).flag("rotating", told->is_rotating).str() + "\n");
    return exit_done;
  }
  std::vector<std::vector<std::string>> rows = {
      {"MASTER KEY", "STATE", "UPSTREAM KEYS", "EVER SEALED", "HERE"}};
  for (const MasterKeyStatus& key : told->master_keys) {
    rows.push_back({std::to_string(key.version), key.state, std::to_string(key.records),
                    std::to_string(key.seals), key.is_present ? "yes" : "no"});
  }
  print(table(rows));
  if (told->is_rotating) {
    note("A rotation was begun and not finished: run byway vault rotate-master again.\n");
  }
  return exit_done;
}

int rotate_master(Router& router, const std::string& file, const GlobalOptions& globals) {
  auto admin = admin_of(router, globals);
  if (!admin) return report_failed(admin.error(), globals);
  const auto rotated = admin->rotate_master(file.empty() ? KeySource() : KeySource::file(file));
  if (!rotated) return report_failed(rotated.error(), globals);
  if (globals.is_json) {
    print(Json()
              .number("version", std::int64_t{rotated->version})
              .number("rewrapped", static_cast<std::int64_t>(rotated->rewrapped))
              .raw("broken", broken_json(rotated->broken))
              .str() +
          "\n");
  } else {
    print("master key " + std::to_string(rotated->version) + " is in use, " +
          std::to_string(rotated->rewrapped) + " upstream keys sealed again\n" +
          (file.empty() ? "Back up the new key file beside the store.\n"
                        : "Back up " + file + ", and name it from now on.\n"));
    note_broken(rotated->broken);
  }
  return rotated->broken.empty() ? exit_done : exit_failed;
}

int check(Router& router, const GlobalOptions& globals) {
  auto admin = admin_of(router, globals);
  if (!admin) return report_failed(admin.error(), globals);
  const auto checked = admin->check_vault();
  if (!checked) return report_failed(checked.error(), globals);
  if (globals.is_json) {
    print(Json()
              .number("records", static_cast<std::int64_t>(checked->records))
              .raw("broken", broken_json(checked->broken))
              .str() +
          "\n");
  } else {
    print(std::to_string(checked->records) + " sealed keys, " +
          std::to_string(checked->records - checked->broken.size()) + " open\n");
    note_broken(checked->broken);
  }
  return checked->broken.empty() ? exit_done : exit_failed;
}

}  // namespace

void add_vault(CLI::App& app, GlobalOptions& globals) {
  CLI::App* vault = app.add_subcommand("vault", "Master keys and the keys they seal");
  vault->require_subcommand(1);
  vault->footer(
      "Examples:\n  byway vault status\n  byway vault check\n  byway vault rotate-master");

  vault->add_subcommand("status", "List master keys and what needs them")->callback([&globals] {
    globals.exit_code =
        with_router(globals, [&](Router& router) { return status(router, globals); });
  });

  auto file = std::make_shared<std::string>();
  CLI::App* rotate =
      vault->add_subcommand("rotate-master", "Seal every key again under another master key");
  rotate->add_option("--new-master-key-file", *file, "The other key [a new one, beside the store]")
      ->type_name("FILE");
  rotate->footer(
      "Calls go on meanwhile. A rotation that was cut short loses nothing: run it again.\n"
      "\nExample:\n  byway vault rotate-master");
  rotate->callback([&globals, file] {
    globals.exit_code =
        with_router(globals, [&](Router& router) { return rotate_master(router, *file, globals); });
  });

  vault->add_subcommand("check", "Open every sealed key; exit code 1 when one does not")
      ->callback([&globals] {
        globals.exit_code =
            with_router(globals, [&](Router& router) { return check(router, globals); });
      });
}

}  // namespace byway::cli
