#include "cli/probe_view.hpp"

#include <fmt/format.h>

#include "cli/call_record.hpp"
#include "cli/capability_view.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"

namespace byway::cli {
namespace {

using std::chrono::nanoseconds;

std::string milliseconds(nanoseconds time) {
  return json_number(static_cast<double>(time.count()) / 1e6, 1);
}

std::string step_json(const ProbeStep& step) {
  return Json()
      .text("name", step.name)
      .flag("ok", !step.error.has_value())
      .raw("latency_ms", milliseconds(step.latency))
      .raw("error", step.error ? record_error(*step.error) : "null")
      .str();
}

void add_time(Json& json, std::string_view name, const std::optional<nanoseconds>& time) {
  if (time) {
    json.raw(name, milliseconds(*time));
  } else {
    json.null(name);
  }
}

std::string answer(std::optional<bool> works) {
  return !works ? "not tried" : *works ? "yes" : "no";
}

std::string only_tried(std::optional<bool> works) {
  return works ? answer(works) : "";
}

std::string with_unit(const std::optional<nanoseconds>& time) {
  return time ? milliseconds(*time) + " ms" : "";
}

std::string number_text(std::optional<std::int64_t> value) {
  return value ? std::to_string(*value) : "";
}

}  // namespace

std::string json_of(const ProbeReport& report) {
  Json json;
  json.flag("usable", report.is_usable).flag("reachable", report.is_reachable);
  json.flag("tls", report.tls).flag("key_accepted", report.key_accepted);
  json.flag("model_known", report.model_known).number("models_listed", report.models_listed);
  add_fields(json, report.record);
  add_time(json, "latency_ms", report.latency);
  add_time(json, "first_token_ms", report.first_token);
  json.raw("steps", json_list(report.steps, step_json));
  json.raw("problem", report.problem ? record_error(*report.problem) : "null");
  json.flag("kept", report.is_kept);
  return json.str();
}

std::string describe(const ProbeReport& report) {
  const CapabilityRecord& record = report.record;
  std::string rates;
  for (const std::string& name : record.rate_headers) rates += (rates.empty() ? "" : ", ") + name;
  return aligned({{"reachable", report.is_reachable ? "yes" : "no"},
                  {"TLS verified", only_tried(report.tls)},
                  {"key accepted", only_tried(report.key_accepted)},
                  {"models listed", number_text(report.models_listed)},
                  {"model tried", record.model.empty() ? "none" : record.model},
                  {"model known", report.model_known ? answer(report.model_known) : "not known"},
                  {"chat", answer(record.chat)},
                  {"completions", only_tried(record.completions)},
                  {"embeddings", answer(record.embeddings)},
                  {"dimensions", number_text(record.dimensions)},
                  {"streaming", answer(record.stream)},
                  {"usage in stream", answer(record.usage_in_stream)},
                  {"tools taken", answer(record.tools)},
                  {"tools called", only_tried(record.tool_calls)},
                  {"JSON schema taken", answer(record.json_schema)},
                  {"schema kept to", only_tried(record.json_schema_kept)},
                  {"log probabilities", only_tried(record.logprobs)},
                  {"of the prompt", only_tried(record.echo_logprobs)},
                  {"context length", number_text(record.context_length)},
                  {"latency", with_unit(report.latency)},
                  {"first token", with_unit(report.first_token)},
                  {"rate headers", rates},
                  {"proposed dialect", proposal_text(record)},
                  {"usable", report.is_usable ? "yes" : "no"}});
}

std::string summary(const ProbeReport& report) {
  const CapabilityRecord& record = report.record;
  if (record.model.empty()) return "reachable; no model to try, so no call was made";
  std::string works;
  const auto add = [&](std::optional<bool> is_there, const char* what) {
    if (is_there.value_or(false)) works += (works.empty() ? "" : ", ") + std::string(what);
  };
  add(record.chat, "chat");
  add(record.completions, "completions");
  add(record.embeddings, "embeddings");
  add(record.stream, "streaming");
  add(record.usage_in_stream, "usage in stream");
  return works + " with " + record.model + ", " + with_unit(report.latency);
}

}  // namespace byway::cli
