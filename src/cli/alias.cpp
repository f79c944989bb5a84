// byway alias: names of one's own over several models.
#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>

#include <byway/admin.hpp>

#include "cli/commands.hpp"
#include "cli/global_options.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"

namespace byway::cli {
namespace {

struct AliasOptions {
  std::string name = {};
  std::vector<std::string> models = {};
  std::vector<std::string> require = {};
};

/// "byo:slug/model" or "byo:slug/model=WEIGHT".
bool read_model(const std::string& text, AliasModel& model) {
  const std::size_t at = text.rfind('=');
  model.model = text.substr(0, at);
  if (at == std::string::npos) return true;
  const std::string_view digits = std::string_view(text).substr(at + 1);
  std::int64_t weight = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), weight);
  model.weight = weight;
  return fault == std::errc() && end == digits.data() + digits.size();
}

std::string json_of(const Alias& alias) {
  const auto model_json = [](const AliasModel& model) {
    return Json().text("model", model.model).number("weight", model.weight).str();
  };
  return Json()
      .text("name", alias.name)
      .raw("models", json_list(alias.models, model_json))
      .raw("require", json_list(alias.require, [](const auto& tag) { return json_text(tag); }))
      .text("org", alias.org)
      .str();
}

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

std::string models_text(const Alias& alias) {
  std::vector<std::string> models;
  for (const AliasModel& model : alias.models) {
    models.push_back(model.model + (model.weight ? "=" + std::to_string(*model.weight) : ""));
  }
  return joined(models);
}

int set(Admin& admin, const AliasOptions& options, const GlobalOptions& globals) {
  Alias alias{.name = options.name, .models = {}, .require = options.require};
  for (const std::string& text : options.models) {
    if (!read_model(text, alias.models.emplace_back())) {
      return report_usage("'" + text + "' is not byo:SLUG/MODEL or byo:SLUG/MODEL=WEIGHT",
                          globals.is_json);
    }
  }
  const auto made = admin.set_alias(std::move(alias));
  if (!made) return report_failed(made.error(), globals);
  print(globals.is_json ? json_of(*made) + "\n" : made->name + " is " + models_text(*made) + "\n");
  return exit_done;
}

int list(const Admin& admin, const GlobalOptions& globals) {
  const auto aliases = admin.aliases();
  if (!aliases) return report_failed(aliases.error(), globals);
  if (globals.is_json) {
    print(json_list(*aliases, [](const Alias& alias) { return json_of(alias); }) + "\n");
    return exit_done;
  }
  if (aliases->empty()) {
    note("No aliases yet: byway alias set --help\n");
    return exit_done;
  }
  std::vector<std::vector<std::string>> rows = {{"ALIAS", "MODELS", "REQUIRED TAGS"}};
  for (const Alias& alias : *aliases) {
    rows.push_back({alias.name, models_text(alias), joined(alias.require)});
  }
  print(table(rows));
  return exit_done;
}

int remove(Admin& admin, const std::string& name, const GlobalOptions& globals) {
  const auto removed = admin.remove_alias(name);
  if (!removed) return report_failed(removed.error(), globals);
  print(globals.is_json ? Json().text("removed", name).str() + "\n" : "removed " + name + "\n");
  return exit_done;
}

void add_set(CLI::App& alias, GlobalOptions& globals) {
  CLI::App* command = alias.add_subcommand("set", "Make or replace an alias");
  auto options = std::make_shared<AliasOptions>();
  command->add_option("NAME", options->name, "1 to 64 of a-z, 0-9, '.', '_' and '-'")->required();
  command->add_option("MODELS", options->models, "byo:SLUG/MODEL or byo:SLUG/MODEL=WEIGHT")
      ->required();
  command->add_option("--require", options->require, "A tag the endpoint must have; repeatable")
      ->type_name("TAG")
      ->allow_extra_args(false);
  command->footer(
      "A call of the alias goes to the first model that passes every rule: in this order, or with\n"
      "weights drawn for each call. A key whose list names the alias may use its models this way.\n"
      "\nExamples:\n"
      "  byway alias set fast byo:my-vllm/my-model byo:spare/my-model\n"
      "  byway alias set mixed byo:a/m=3 byo:b/m=1 --require chat");
  command->callback([&globals, options] {
    globals.exit_code =
        with_admin(globals, [&](Admin& admin) { return set(admin, *options, globals); });
  });
}

}  // namespace

void add_alias(CLI::App& app, GlobalOptions& globals) {
  CLI::App* command = app.add_subcommand("alias", "Names of yours for several models");
  command->require_subcommand(1);
  add_set(*command, globals);
  command->add_subcommand("list", "List aliases")->callback([&globals] {
    globals.exit_code = with_admin(globals, [&](Admin& admin) { return list(admin, globals); });
  });
  auto name = std::make_shared<std::string>();
  CLI::App* removing = command->add_subcommand("remove", "Remove an alias");
  removing->add_option("NAME", *name, "Its name")->required();
  removing->callback([&globals, name] {
    globals.exit_code =
        with_admin(globals, [&](Admin& admin) { return remove(admin, *name, globals); });
  });
}

}  // namespace byway::cli
