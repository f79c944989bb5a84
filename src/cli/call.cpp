// byway call: one request as it is, and the upstream's bytes or the call record back.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <future>
#include <memory>

#include <byway/router.hpp>

#include "cli/call_options.hpp"
#include "cli/call_record.hpp"
#include "cli/commands.hpp"
#include "cli/file_text.hpp"
#include "cli/global_options.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"

namespace byway::cli {
namespace {

struct CallCommand {
  std::string operation = "chat";
  std::string model = {};
  std::string body_file = {};
  std::vector<std::string> header_lines = {};
  std::string purpose = "inference";
  bool is_streamed = false;
  bool is_record = false;
  CallOptions call = {};
  /// What the request's views look at.
  std::string body = {};
  std::vector<Header> headers = {};

  Operation kind() const { return operation_of(operation).value_or(Operation::chat); }
};

Request request_of(const CallCommand& command, const GlobalOptions& globals) {
  Request request{.operation = command.kind(),
                  .body = command.body,
                  .model = command.model,
                  .key = globals.key,
                  .headers = command.headers,
                  .timeouts = command.call.timeouts(),
                  .attempts = command.call.attempts,
                  .retry_ambiguous = command.call.may_retry_ambiguous};
  for (const Purpose each :
       {Purpose::judge, Purpose::scorer, Purpose::trace_eval, Purpose::probe}) {
    if (name_of(each) == command.purpose) request.purpose = each;
  }
  return request;
}

struct Outcome {
  Result<Response> result;
  Reply partial = {};
  /// Not 0 when Ctrl-C ended the call.
  int interrupted = 0;
};

Outcome call_whole(Router& router, const Request& request) {
  // Shared, since the loop thread may still be inside set_value() when get() returns.
  const auto done = std::make_shared<std::promise<Result<Response>>>();
  std::future<Result<Response>> future = done->get_future();
  Cancel cancel = router.call(request).then(
      [done](Result<Response> result) { done->set_value(std::move(result)); });
  const Interrupt interrupt([&] { cancel.cancel(); });
  Outcome outcome{future.get()};
  if (interrupt.has_happened()) outcome.interrupted = interrupt.exit_code();
  return outcome;
}

Outcome call_streamed(Router& router, const Request& request, bool is_shown) {
  Stream stream = router.stream(request);
  const Interrupt interrupt([&] { stream.cancel(); });
  while (const StreamEvent* event = stream.next()) {
    if (!is_shown || event->data.empty()) continue;
    if (!print(std::string(event->data) + "\n")) stream.cancel();
  }
  Reply partial = stream.reply();
  Outcome outcome{stream.result(), std::move(partial)};
  if (interrupt.has_happened()) outcome.interrupted = interrupt.exit_code();
  return outcome;
}

int tell(const Outcome& outcome, const CallCommand& command, const GlobalOptions& globals) {
  if (command.is_record) {
    print(call_record(command.kind(), outcome.result, outcome.partial) + "\n");
  } else if (outcome.result && !command.is_streamed) {
    print(outcome.result->body());
    if (is_terminal(STDOUT_FILENO)) print("\n");
  } else if (!outcome.result && is_output_good()) {
    report(outcome.result.error(), globals.is_json);
  }
  if (outcome.interrupted != 0) return outcome.interrupted;
  return outcome.result ? exit_done : exit_failed;
}

int call(const CallCommand& command, const GlobalOptions& globals) {
  Result<Router> router = open_router(globals);
  if (!router && !command.is_record) return report_unusable(router.error(), globals);
  if (!router) return tell({router.error()}, command, globals);
  const Request request = request_of(command, globals);
  const Outcome outcome = command.is_streamed ? call_streamed(*router, request, !command.is_record)
                                              : call_whole(*router, request);
  return tell(outcome, command, globals);
}

int run_call(CallCommand& command, const GlobalOptions& globals) {
  for (const std::string& line : command.header_lines) {
    const std::size_t at = line.find(':');
    if (at == std::string::npos || at == 0) {
      return report_usage("--header takes 'Name: value'", globals.is_json);
    }
    std::string_view value = std::string_view(line).substr(at + 1);
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    command.headers.push_back({std::string_view(line).substr(0, at), value});
  }
  if (command.body_file.empty() && command.kind() != Operation::models) {
    if (is_terminal(STDIN_FILENO)) {
      return report_usage("say where the body is: --body FILE, or - for standard input",
                          globals.is_json);
    }
    command.body_file = "-";
  }
  if (!command.body_file.empty()) {
    auto text = read_text(command.body_file);
    if (!text) return report_usage(text.error().message(), globals.is_json);
    command.body = *std::move(text);
  }
  return call(command, globals);
}

}  // namespace

void add_call(CLI::App& app, GlobalOptions& globals) {
  CLI::App* command = app.add_subcommand("call", "Send one request as it is");
  auto options = std::make_shared<CallCommand>();
  command->add_option("--op", options->operation, "What is asked [chat]")
      ->type_name("OPERATION")
      ->check(
          CLI::IsMember({"chat", "completions", "embeddings", "responses", "rerank", "models"}));
  command
      ->add_option("--model", options->model,
                   "byo:SLUG/MODEL instead of the body's; byo:SLUG for models")
      ->type_name("ID");
  command->add_option("--body", options->body_file, "JSON body [standard input]")
      ->type_name("FILE or -");
  command->add_flag("--stream", options->is_streamed, "Stream; events come one on a line");
  command->add_flag("--record", options->is_record, "Print the call record instead, in any case");
  command->add_option("--header", options->header_lines, "One more header; repeatable")
      ->type_name("'K: V'")
      ->allow_extra_args(false);
  command->add_option("--purpose", options->purpose, "What it is for [inference]")
      ->type_name("WORD")
      ->check(CLI::IsMember({"inference", "judge", "scorer", "trace_eval", "probe"}));
  add_call_options(*command, options->call);
  command->footer(
      "Prints the upstream's bytes as they are.\n"
      "\nExamples:\n"
      "  echo '{\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}' |\n"
      "      byway call --model byo:my-vllm/my-model --record\n"
      "  byway call --op models --model byo:my-vllm\n"
      "  byway call --op embeddings --model byo:my-vllm/e5 --body texts.json");
  command->callback([&globals, options] { globals.exit_code = run_call(*options, globals); });
}

}  // namespace byway::cli
