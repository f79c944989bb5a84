// byway explain: what a call would do, without making it.
#include <CLI/CLI.hpp>
#include <memory>

#include <byway/router.hpp>

#include "cli/call_options.hpp"
#include "cli/call_record.hpp"
#include "cli/capability_view.hpp"
#include "cli/commands.hpp"
#include "cli/global_options.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"

namespace byway::cli {
namespace {

struct ExplainOptions {
  std::string model = {};
  std::string operation = "chat";
  CallOptions call = {};
};

std::optional<std::int64_t> count_of(std::optional<std::chrono::milliseconds> limit) {
  if (!limit) return {};
  return limit->count();
}

std::string limit_text(std::optional<std::chrono::milliseconds> limit) {
  if (!limit) return "";
  return limit->count() == 0 ? "none" : std::to_string(limit->count()) + " ms";
}

std::string dropped_json(const DroppedCandidate& dropped) {
  return Json().text("model", dropped.model).raw("reason", record_error(dropped.reason)).str();
}

std::string limit_json(const LimitLeft& limit) {
  return Json()
      .text("owner", limit.owner)
      .text("name", limit.name)
      .number("limit", limit.limit)
      .number("left", limit.left)
      .str();
}

std::string explanation_json(const Explanation& told) {
  const Timeouts& limits = told.timeouts;
  const std::string timeouts = Json()
                                   .number("connect_ms", count_of(limits.connect))
                                   .number("first_byte_ms", count_of(limits.first_byte))
                                   .number("first_token_ms", count_of(limits.first_token))
                                   .number("stall_ms", count_of(limits.stall))
                                   .number("total_ms", count_of(limits.total))
                                   .str();
  return Json()
      .flag("ok", !told.refusal.has_value())
      .text_or_null("provider", told.provider)
      .text_or_null("endpoint_id", told.endpoint_id)
      .text_or_null("model", told.upstream_model)
      .text_or_null("url", told.url)
      .text_or_null("dialect", told.dialect)
      .number("key_generation", static_cast<std::int64_t>(told.key_generation))
      .text_or_null("org", told.org)
      .text_or_null("key_id", told.key_id)
      .text_or_null("alias", told.alias)
      .raw("dropped", json_list(told.dropped, dropped_json))
      .raw("limits", json_list(told.limits, limit_json))
      .raw("timeouts", timeouts)
      .raw("capabilities", told.capabilities ? json_of(*told.capabilities) : "null")
      .raw("refusal", told.refusal ? record_error(*told.refusal) : "null")
      .str();
}

std::string describe(const Explanation& told) {
  const std::string key =
      told.key_generation == 0 ? "none" : "generation " + std::to_string(told.key_generation);
  std::string dropped;
  for (const DroppedCandidate& model : told.dropped) {
    dropped += aligned({{"passed over", model.model + "  " + std::string(model.reason.name()) +
                                            ": " + model.reason.message()}});
  }
  std::string limits;
  for (const LimitLeft& limit : told.limits) {
    limits += aligned({{limit.owner + " " + limit.name,
                        std::to_string(limit.left) + " left of " + std::to_string(limit.limit)}});
  }
  return dropped + limits +
         aligned({{"provider", told.provider},
                  {"alias", told.alias},
                  {"customer key", told.key_id},
                  {"endpoint", told.endpoint_id},
                  {"model sent", told.upstream_model},
                  {"URL", told.url},
                  {"dialect", told.dialect},
                  {"key", told.endpoint_id.empty() ? "" : key},
                  {"connect", limit_text(told.timeouts.connect)},
                  {"first byte", limit_text(told.timeouts.first_byte)},
                  {"first token", limit_text(told.timeouts.first_token)},
                  {"stall", limit_text(told.timeouts.stall)},
                  {"total", limit_text(told.timeouts.total)},
                  {"last probe", told.capabilities ? last_probe_text(*told.capabilities) : ""},
                  {"it learned", told.capabilities ? capability_text(*told.capabilities) : ""},
                  {"would be sent", told.refusal ? "no" : "yes"}});
}

int explain(Router& router, const ExplainOptions& options, const GlobalOptions& globals) {
  const Explanation told =
      router.explain({.operation = operation_of(options.operation).value_or(Operation::chat),
                      .model = options.model,
                      .key = globals.key,
                      .timeouts = options.call.timeouts()});
  print(globals.is_json ? explanation_json(told) + "\n" : describe(told));
  if (!told.refusal) return exit_done;
  report(*told.refusal, globals.is_json);
  return exit_failed;
}

}  // namespace

void add_explain(CLI::App& app, GlobalOptions& globals) {
  CLI::App* command = app.add_subcommand("explain", "Say what a call would do; send nothing");
  auto options = std::make_shared<ExplainOptions>();
  command->add_option("--model", options->model, "byo:SLUG/MODEL or an alias")
      ->type_name("ID")
      ->required();
  command->add_option("--op", options->operation, "What would be asked [chat]")
      ->type_name("OPERATION")
      ->check(
          CLI::IsMember({"chat", "completions", "embeddings", "responses", "rerank", "models"}));
  add_timeout_options(*command, options->call);
  command->footer(
      "Of an alias, the models that would be passed over are told with the rule that says so.\n"
      "\nExamples:\n  byway explain --model byo:my-vllm/my-model\n"
      "  byway explain --model fast --key bw_live_...");
  command->callback([&globals, options] {
    globals.exit_code =
        with_router(globals, [&](Router& router) { return explain(router, *options, globals); });
  });
}

}  // namespace byway::cli
