// byway endpoint add: tries a server, and registers it when it can be used.
#include <CLI/CLI.hpp>
#include <memory>

#include <byway/admin.hpp>
#include <byway/probe.hpp>

#include "cli/call_options.hpp"
#include "cli/commands.hpp"
#include "cli/endpoint_view.hpp"
#include "cli/global_options.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"
#include "cli/probe_view.hpp"
#include "cli/scratch_router.hpp"
#include "cli/upstream_key.hpp"

namespace byway::cli {
namespace {

struct AddOptions {
  EndpointSettings settings = {};
  std::vector<std::string> allow = {};
  std::vector<std::string> headers = {};
  std::vector<std::string> query = {};
  KeyOptions key = {};
  CallOptions probe = {};
  bool has_no_probe = false;
};

/// "Name: value" or "name=value", cut at the first separator.
bool add_pairs(const std::vector<std::string>& lines, char separator,
               std::vector<NameValue>& pairs) {
  for (const std::string& line : lines) {
    const std::size_t at = line.find(separator);
    if (at == std::string::npos || at == 0) return false;
    const std::size_t begin = line.find_first_not_of(' ', at + 1);
    pairs.emplace_back(line.substr(0, at), begin == std::string::npos ? "" : line.substr(begin));
  }
  return true;
}

/// The probe, over a router that is not the store's.
Result<ProbeReport> probe(const AddOptions& options, const UpstreamKey& key) {
  Result<ScratchRouter> scratch = ScratchRouter::open(options.settings, key.view());
  if (!scratch) return scratch.error();
  return probe_endpoint(scratch->router(), options.settings.slug,
                        {.timeouts = options.probe.timeouts(), .keeps_record = false});
}

std::string document(const StoredEndpoint* stored, const ProbeReport* report) {
  Json json;
  json.raw("endpoint", stored == nullptr ? "null" : json_of(stored->endpoint));
  json.raw("warnings", stored == nullptr ? "[]" : json_list(stored->warnings, json_text));
  json.raw("probe", report == nullptr ? "null" : json_of(*report));
  return json.str() + "\n";
}

void tell_people(const StoredEndpoint& stored, const ProbeReport* report) {
  for (const std::string& warning : stored.warnings)
    note("byway: warning: " + one_line(warning) + "\n");
  const EndpointSettings& settings = stored.endpoint.settings;
  const std::string provider = "byo:" + settings.slug;
  std::string model = settings.default_model;
  if (report != nullptr && model.empty()) model = report->record.model;
  print(
      aligned({{"added", provider + "  " + settings.base_url},
               {"key", stored.endpoint.has_key ? stored.endpoint.key_preview + "  sealed" : "none"},
               {"probe", report == nullptr ? "not made" : summary(*report)}}) +
      "\nTry it:\n  byway chat " + provider + "/" + (model.empty() ? "MODEL" : model) +
      " \"Hello\"\n");
  if (report != nullptr && !report->record.proposed_dialect.empty()) {
    const std::string& dialect = report->record.proposed_dialect;
    note("It looks like " + dialect + " (" + report->record.proposal_reason +
         "). To say so:\n  byway endpoint set " + settings.slug + " dialect=" + dialect + "\n");
  }
  if (report != nullptr) return;
  note(
      "Not checked: whether the server can be reached, takes the key and knows its models.\n"
      "Check with: byway endpoint test " +
      settings.slug + "\n");
}

int probe_failed(const ProbeReport& report, const GlobalOptions& globals) {
  print(globals.is_json ? document(nullptr, &report) : describe(report));
  if (report.problem) cli::report(*report.problem, globals.is_json);
  if (!globals.is_json) note("Nothing was saved; --no-probe saves without asking the server.\n");
  return exit_failed;
}

int add(Router& router, const AddOptions& options, const GlobalOptions& globals) {
  auto admin = admin_of(router, globals);
  if (!admin) return report_failed(admin.error(), globals);
  if (admin->endpoint(options.settings.slug)) {
    return report_failed(Error(ErrorCode::registry_duplicate_slug,
                               "there is an endpoint " + options.settings.slug +
                                   " already: change it with byway endpoint set"),
                         globals);
  }
  const Result<UpstreamKey> key = UpstreamKey::read(options.key);
  if (!key) return report_failed(key.error(), globals);
  std::optional<ProbeReport> report;
  if (!options.has_no_probe) {
    Result<ProbeReport> probed = probe(options, *key);
    if (!probed) return report_failed(probed.error(), globals);
    report = *std::move(probed);
    if (!report->is_usable) return probe_failed(*report, globals);
  }
  auto stored = admin->add_endpoint(options.settings, key->view());
  if (!stored) return report_failed(stored.error(), globals);
  if (report) {
    auto kept = admin->keep_capabilities(options.settings.slug, report->record);
    if (!kept) return report_failed(kept.error(), globals);
    stored->endpoint = *std::move(kept);
    report->is_kept = true;
  }
  const ProbeReport* made = report ? &*report : nullptr;
  if (globals.is_json) {
    print(document(&*stored, made));
  } else {
    tell_people(*stored, made);
  }
  return exit_done;
}

int run_add(AddOptions& options, bool has_allow, const GlobalOptions& globals) {
  if (!options.key.is_given() && !options.key.is_none) {
    return report_usage(
        "say where the upstream key is: --key-stdin, --key-env NAME, or --no-key for a server "
        "that wants none",
        globals.is_json);
  }
  if (!add_pairs(options.headers, ':', options.settings.headers)) {
    return report_usage("--header takes 'Name: value'", globals.is_json);
  }
  if (!add_pairs(options.query, '=', options.settings.query)) {
    return report_usage("--query takes name=value", globals.is_json);
  }
  if (has_allow) options.settings.allow = options.allow;
  return with_router(globals, [&](Router& router) { return add(router, options, globals); });
}

void add_model_options(CLI::App& command, AddOptions& options) {
  const char* group = "Models";
  EndpointSettings& settings = options.settings;
  command.add_option("--model", settings.default_model, "The model to use when none is named")
      ->type_name("MODEL")
      ->group(group);
  command
      .add_option("--tag", settings.tags, "chat, embeddings, ... or a word of yours; repeatable")
      ->type_name("WORD")
      ->allow_extra_args(false)
      ->group(group);
  command.add_option("--extra", settings.extra_body, "JSON object merged into every body")
      ->type_name("JSON")
      ->group(group);
  command
      .add_option("--price-input", settings.price_input,
                  "Nano-dollars per million tokens ($0.25 is 250000000)")
      ->type_name("N")
      ->group(group);
  command.add_option("--price-output", settings.price_output, "The same for what it answers")
      ->type_name("N")
      ->group(group);
}

void add_server_options(CLI::App& command, AddOptions& options) {
  const char* group = "Server";
  EndpointSettings& settings = options.settings;
  command.add_option("--url", settings.base_url, "Base URL, up to /v1 where the server has one")
      ->type_name("URL")
      ->required()
      ->group(group);
  command.add_option("--name", settings.name, "A name for people")->type_name("TEXT")->group(group);
  command
      .add_option("--dialect", settings.dialect,
                  "What kind of server it is [generic], or JSON that changes one")
      ->type_name("NAME")
      ->group(group);
  command.add_option("--region", settings.region, "Where it runs, e.g. eu")
      ->type_name("WORD")
      ->group(group);
  command.add_option("--header", options.headers, "One more header, not a secret; repeatable")
      ->type_name("'K: V'")
      ->allow_extra_args(false)
      ->group(group);
  command.add_option("--query", options.query, "One more query part, not a secret; repeatable")
      ->type_name("K=V")
      ->allow_extra_args(false)
      ->group(group);
  command.add_option("--ca", settings.ca_file, "PEM file of authorities to trust instead")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--client-cert", settings.client_cert, "PEM file for mutual TLS")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--client-key", settings.client_key, "PEM file of its private key")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--proxy", settings.proxy, "http://host:port; the environment's is ignored")
      ->type_name("URL")
      ->group(group);
  command
      .add_flag("--allow-insecure-http", settings.allow_insecure_http,
                "Plain http to a host that is not this machine")
      ->group(group);
  command
      .add_option("--allow-address", settings.allow_addresses,
                  "A private range the host may be in; repeatable")
      ->type_name("CIDR")
      ->allow_extra_args(false)
      ->group(group);
}

void add_limit_options(CLI::App& command, AddOptions& options) {
  const char* group = "Limits of the endpoint (refused: this version does not enforce them yet)";
  EndpointSettings& settings = options.settings;
  command.add_option("--rpm", settings.rpm, "Requests per minute")->type_name("N")->group(group);
  command.add_option("--tpm", settings.tpm, "Tokens per minute")->type_name("N")->group(group);
  command.add_option("--in-flight", settings.in_flight, "Calls at a time")
      ->type_name("N")
      ->group(group);
}

}  // namespace

void add_endpoint_add(CLI::App& endpoint, GlobalOptions& globals) {
  CLI::App* command = endpoint.add_subcommand("add", "Try a server and register it");
  auto options = std::make_shared<AddOptions>();
  command->add_option("SLUG", options->settings.slug, "Short name: 3 to 40 of a-z, 0-9 and -")
      ->required();
  add_server_options(*command, *options);
  add_key_options(*command, options->key, true);
  add_model_options(*command, *options);
  CLI::Option* allow =
      command->add_option("--allow", options->allow, "A model that may be named; repeatable [all]")
          ->type_name("MODEL")
          ->allow_extra_args(false)
          ->group("Models");
  add_limit_options(*command, *options);
  command->add_flag("--no-probe", options->has_no_probe, "Save without asking the server");
  add_timeout_options(*command, options->probe);
  command->footer(
      "The server is asked for its models and for one token first; when it cannot be used,\n"
      "nothing is saved. Time-outs here are the probe's; for calls see `endpoint set`.\n"
      "\nExamples:\n"
      "  byway endpoint add my-vllm --url http://localhost:8000/v1 --key-env VLLM_KEY\n"
      "  byway endpoint add local --url http://localhost:11434/v1 --no-key --model llama3.2\n"
      "  pass show together | byway endpoint add together \\\n"
      "      --url https://api.together.xyz/v1 --key-stdin --allow meta-llama/Llama-3.3-70B");
  command->callback([&globals, options, allow] {
    globals.exit_code = run_add(*options, allow->count() > 0, globals);
  });
}

}  // namespace byway::cli
