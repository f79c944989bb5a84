// byway endpoint test: the probe of a registered endpoint.
#include <CLI/CLI.hpp>
#include <memory>

#include <byway/probe.hpp>

#include "cli/call_options.hpp"
#include "cli/commands.hpp"
#include "cli/global_options.hpp"
#include "cli/output.hpp"
#include "cli/probe_view.hpp"

namespace byway::cli {
namespace {

struct TestOptions {
  std::string slug = {};
  std::string model = {};
  bool is_thorough = false;
  CallOptions call = {};
};

int test(Router& router, const TestOptions& options, const GlobalOptions& globals) {
  const auto report = probe_endpoint(router, options.slug,
                                     {.model = options.model,
                                      .key = globals.key,
                                      .timeouts = options.call.timeouts(),
                                      .is_thorough = options.is_thorough});
  if (!report) return report_failed(report.error(), globals);
  print(globals.is_json ? json_of(*report) + "\n" : describe(*report));
  if (report->problem) cli::report(*report->problem, globals.is_json);
  if (report->keep_problem) cli::report(*report->keep_problem, globals.is_json);
  if (!report->record.proposed_dialect.empty() && !globals.is_json) {
    note("Its dialect stays as it is; to take the proposed one:\n  byway endpoint set " +
         options.slug + " dialect=" + report->record.proposed_dialect + "\n");
  }
  return report->is_usable ? exit_done : exit_failed;
}

}  // namespace

void add_endpoint_test(CLI::App& endpoint, GlobalOptions& globals) {
  CLI::App* command = endpoint.add_subcommand("test", "Try an endpoint and say what works");
  auto options = std::make_shared<TestOptions>();
  command->add_option("SLUG", options->slug, "Its short name")->required();
  command->add_option("--model", options->model, "The model to try")->type_name("MODEL");
  command->add_flag("--thorough", options->is_thorough,
                    "Try tools, a JSON schema, log probabilities and embeddings too");
  add_timeout_options(*command, options->call);
  command->footer(
      "Makes a few calls of one token with fixed words; exit code 1 when the endpoint cannot be\n"
      "used. What it learns is kept: see `endpoint show`. With --thorough two calls may have 32\n"
      "tokens.\n"
      "\nExamples:\n  byway endpoint test my-vllm\n  byway endpoint test my-vllm --thorough "
      "--json");
  command->callback([&globals, options] {
    globals.exit_code =
        with_router(globals, [&](Router& router) { return test(router, *options, globals); });
  });
}

}  // namespace byway::cli
