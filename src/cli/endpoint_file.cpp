// byway endpoint export, import: the registry as TOML, keys sealed.
#include <CLI/CLI.hpp>
#include <memory>

#include <byway/admin.hpp>

#include "cli/commands.hpp"
#include "cli/endpoint_view.hpp"
#include "cli/file_text.hpp"
#include "cli/global_options.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"

namespace byway::cli {
namespace {

int export_to(Router& router, const std::string& file, const GlobalOptions& globals) {
  auto admin = admin_of(router, globals);
  if (!admin) return report_failed(admin.error(), globals);
  const auto text = admin->export_registry();
  if (!text) return report_failed(text.error(), globals);
  if (file == "-") {
    print(*text);
    return exit_done;
  }
  const auto written = write_text(file, *text);
  if (!written) {
    report(written.error(), globals.is_json);
    return exit_failed;
  }
  print(globals.is_json ? Json().text("file", file).str() + "\n" : "exported to " + file + "\n");
  return exit_done;
}

int import_from(Router& router, const std::string& file, const GlobalOptions& globals) {
  const auto text = read_text(file);
  if (!text) return report_usage(text.error().message(), globals.is_json);
  auto admin = admin_of(router, globals);
  if (!admin) return report_failed(admin.error(), globals);
  const auto added = admin->import_registry(*text);
  if (!added) return report_failed(added.error(), globals);
  if (globals.is_json) {
    print(json_list(*added,
                    [](const StoredEndpoint& stored) {
                      return Json()
                          .raw("endpoint", json_of(stored.endpoint))
                          .raw("warnings", json_list(stored.warnings, json_text))
                          .str();
                    }) +
          "\n");
    return exit_done;
  }
  for (const StoredEndpoint& stored : *added) {
    for (const std::string& warning : stored.warnings)
      note("byway: warning: " + one_line(warning) + "\n");
    print("added byo:" + stored.endpoint.settings.slug + "\n");
  }
  return exit_done;
}

}  // namespace

void add_endpoint_file(CLI::App& endpoint, GlobalOptions& globals) {
  auto file = std::make_shared<std::string>("-");
  CLI::App* command = endpoint.add_subcommand("export", "Write the registry as TOML, keys sealed");
  command->add_option("FILE", *file, "Where to [standard output]");
  command->footer(
      "The file loads again, by `import` or as a registry file, wherever the master key is the\n"
      "same.\n"
      "\nExample:\n  byway endpoint export byway.toml && byway --registry byway.toml endpoint "
      "list");
  command->callback([&globals, file] {
    globals.exit_code =
        with_router(globals, [&](Router& router) { return export_to(router, *file, globals); });
  });

  auto source = std::make_shared<std::string>();
  command = endpoint.add_subcommand("import", "Add the endpoints of a TOML file, all or none");
  command->add_option("FILE", *source, "The file, - for standard input")->required();
  command->callback([&globals, source] {
    globals.exit_code =
        with_router(globals, [&](Router& router) { return import_from(router, *source, globals); });
  });
}

}  // namespace byway::cli
