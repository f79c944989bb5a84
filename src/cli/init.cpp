// byway init: makes the store and its master key.
#include <CLI/CLI.hpp>
#include <filesystem>

#include <byway/admin.hpp>

#include "cli/commands.hpp"
#include "cli/global_options.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"

namespace byway::cli {
namespace {

/// The default place's folder may not be there yet; nobody else needs to look into it.
void make_folder_of(const std::string& path) {
  std::error_code ignored;  // what is wrong shows when the store is made
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty() || std::filesystem::exists(folder, ignored)) return;
  if (std::filesystem::create_directories(folder, ignored)) {
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, ignored);
  }
}

std::string for_people(const CreatedStore& made, const GlobalOptions& globals) {
  std::string text = aligned({{"store", made.path}, {"master key", made.key_file}});
  text += "\nBack up ";
  if (made.key_file.empty()) {
    const std::string place =
        globals.master_key_file.empty() ? "BYWAY_MASTER_KEY" : globals.master_key_file;
    text += "the store, and apart from it the master key of " + place + ".\n";
  } else {
    text += "both, and keep the copies apart: together they open every upstream key.\n";
  }
  text +=
      "Without the master key the upstream keys in the store are lost.\n"
      "\nNext:\n  byway endpoint add my-vllm --url http://localhost:8000/v1 --key-stdin\n";
  return text;
}

int run_init(const std::string& key_prefix, const GlobalOptions& globals) {
  if (!globals.registry.empty()) {
    return report_usage("init makes a store; a registry file is written by hand", globals.is_json);
  }
  const std::string path = store_path(globals);
  if (path.empty()) {
    return report_usage("no place for the store: give --store or BYWAY_STORE", globals.is_json);
  }
  make_folder_of(path);
  const auto made = create_store({.path = path,
                                  .master_key = master_key_of(globals),
                                  .org = globals.org,
                                  .key_prefix = key_prefix});
  if (!made && made.error().code() == ErrorCode::registry_field_invalid) {
    return report_failed(made.error(), globals);
  }
  if (!made) return report_unusable(made.error(), globals);
  print(globals.is_json
            ? Json().text("store", made->path).text_or_null("key_file", made->key_file).str() + "\n"
            : for_people(*made, globals));
  return exit_done;
}

}  // namespace

void add_init(CLI::App& app, GlobalOptions& globals) {
  CLI::App* command = app.add_subcommand("init", "Make a store and its master key");
  command->footer(
      "Makes STORE and, unless a master key is given, STORE.key (mode 0600); nothing that is\n"
      "there already is touched.\n"
      "\nExamples:\n  byway init\n  byway init --store ./byway.db");
  auto key_prefix = std::make_shared<std::string>("bw");
  command->add_option("--key-prefix", *key_prefix, "What the store's customer keys begin with [bw]")
      ->type_name("WORD");
  command->callback([&globals, key_prefix] { globals.exit_code = run_init(*key_prefix, globals); });
}

}  // namespace byway::cli
