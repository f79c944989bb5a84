// byway chat: a streamed answer in the terminal.
#include <unistd.h>

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>

#include <byway/router.hpp>

#include "cli/call_options.hpp"
#include "cli/call_record.hpp"
#include "cli/commands.hpp"
#include "cli/file_text.hpp"
#include "cli/global_options.hpp"
#include "cli/interrupt.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"

namespace byway::cli {
namespace {

struct ChatOptions {
  std::string model = {};
  std::optional<std::string> prompt = {};
  std::string system = {};
  std::optional<double> temperature = {};
  std::optional<std::int64_t> max_tokens = {};
  CallOptions call = {};
};

/// "byo:<slug>" alone means the endpoint's default model.
Result<std::string> model_id_of(const Router& router, const std::string& model,
                                const GlobalOptions& globals) {
  if (!model.starts_with("byo:") || model.find('/') != std::string::npos) return model;
  const auto admin = admin_of(router, globals);
  if (!admin) return admin.error();
  const auto endpoint = admin->endpoint(model.substr(4));
  if (!endpoint) return endpoint.error();
  if (endpoint->settings.default_model.empty()) {
    return Error(ErrorCode::request_invalid_model,
                 model + " has no default model: say " + model +
                     "/MODEL, or set one with byway endpoint set " + endpoint->settings.slug +
                     " default_model=MODEL");
  }
  return model + "/" + endpoint->settings.default_model;
}

std::string body_of(const ChatOptions& options, bool asks_usage) {
  std::string messages;
  const auto add = [&](const char* role, const std::string& text) {
    if (!messages.empty()) messages += ',';
    messages += Json().text("role", role).text("content", text).str();
  };
  if (!options.system.empty()) add("system", options.system);
  add("user", *options.prompt);
  Json body;
  body.raw("messages", "[" + messages + "]");
  if (options.temperature) body.raw("temperature", fmt::format("{}", *options.temperature));
  if (options.max_tokens) body.number("max_tokens", *options.max_tokens);
  if (asks_usage) body.raw("stream_options", R"({"include_usage":true})");
  return body.str();
}

/// What a person sees of an event; a file gets the answer's text and nothing else.
bool show(const StreamEvent& event) {
  if (!is_terminal(STDOUT_FILENO)) return print(event.text);
  if (!event.reasoning.empty() && !print(faint(plain(event.reasoning), STDOUT_FILENO)))
    return false;
  return print(plain(event.text));
}

std::string seconds(std::chrono::nanoseconds time) {
  return json_number(static_cast<double>(time.count()) / 1e9, 2) + " s";
}

std::string closing_line(const Response& response) {
  const Metadata& metadata = response.metadata();
  std::string line = metadata.provider + " " +
                     (metadata.model_served.empty() ? metadata.model : metadata.model_served);
  const Usage* usage = response.usage();
  if (usage != nullptr && usage->completion_tokens) {
    line += " | " + std::to_string(usage->prompt_tokens.value_or(0)) + " + " +
            std::to_string(*usage->completion_tokens) + " tokens";
  } else {
    line += " | tokens not told";
  }
  line += " | " + seconds(metadata.latency);
  if (metadata.first_token.count() > 0) {
    line += ", first token " + seconds(metadata.first_token);
  }
  line += " | overhead " + std::to_string(metadata.overhead.count() / 1000) + " us";
  const std::string finish(response.finish_reason());
  if (!finish.empty() && finish != "stop") line += " | finish " + finish;
  return line;
}

class Chat {
 public:
  Chat(Router& router, const ChatOptions& options, std::string model_id,
       const GlobalOptions& globals)
      : router_(router), options_(options), model_id_(std::move(model_id)), globals_(globals) {}

  int run() {
    const int code = ask(true);
    // Some servers know no stream_options; a person who chats need not care.
    return was_usage_refused_ ? ask(false) : code;
  }

 private:
  int ask(bool asks_usage) {
    was_usage_refused_ = false;
    const std::string body = body_of(options_, asks_usage);
    Stream stream = router_.stream({.body = body,
                                    .model = model_id_,
                                    .key = globals_.key,
                                    .timeouts = options_.call.timeouts(),
                                    .attempts = options_.call.attempts,
                                    .retry_ambiguous = options_.call.may_retry_ambiguous});
    const Interrupt interrupt([&] { stream.cancel(); });
    bool has_text = false;
    while (const StreamEvent* event = stream.next()) {
      has_text = has_text || !event->text.empty();
      if (!globals_.is_json && !show(*event)) {
        stream.cancel();
        return exit_failed;
      }
    }
    const Reply partial = stream.reply();
    const Result<Response> result = stream.result();
    was_usage_refused_ = asks_usage && !result && refuses_usage(result.error());
    if (was_usage_refused_) return exit_failed;
    if (globals_.is_json) {
      print(call_record(Operation::chat, result, partial) + "\n");
    } else if (has_text) {
      print("\n");
    }
    if (interrupt.has_happened()) return interrupt.exit_code();
    return close(result);
  }

  static bool refuses_usage(const Error& error) {
    const bool is_refusal = error.upstream_class() == UpstreamClass::invalid_request ||
                            error.upstream_class() == UpstreamClass::unsupported;
    return is_refusal && error.detail().find("stream_options") != std::string::npos;
  }

  int close(const Result<Response>& result) const {
    if (!result) {
      report(result.error(), globals_.is_json);
      return exit_failed;
    }
    if (!globals_.is_json) note(faint(one_line(closing_line(*result)), STDERR_FILENO) + "\n");
    return exit_done;
  }

  Router& router_;
  const ChatOptions& options_;
  std::string model_id_;
  const GlobalOptions& globals_;
  bool was_usage_refused_ = false;
};

int run_chat(ChatOptions& options, const GlobalOptions& globals) {
  if (!options.prompt) {
    if (is_terminal(STDIN_FILENO)) note("Prompt, ended by Ctrl-D:\n");
    auto text = read_text("-");
    if (!text) return report_usage(text.error().message(), globals.is_json);
    options.prompt = *std::move(text);
  }
  return with_router(globals, [&](Router& router) {
    const auto model_id = model_id_of(router, options.model, globals);
    if (!model_id) return report_failed(model_id.error(), globals);
    return Chat(router, options, *model_id, globals).run();
  });
}

}  // namespace

void add_chat(CLI::App& app, GlobalOptions& globals) {
  CLI::App* command = app.add_subcommand("chat", "Ask a model, see the answer as it comes");
  auto options = std::make_shared<ChatOptions>();
  command
      ->add_option("MODEL", options->model,
                   "byo:SLUG/MODEL, an alias, or byo:SLUG for its default model")
      ->required();
  command->add_option("PROMPT", options->prompt, "The question [standard input]");
  command->add_option("--system", options->system, "Instructions to the model")->type_name("TEXT");
  command->add_option("--temperature", options->temperature, "0 is the steadiest")->type_name("T");
  command->add_option("--max-tokens", options->max_tokens, "Length of the answer at most")
      ->type_name("N");
  add_call_options(*command, options->call);
  command->footer(
      "The answer goes to standard output; the last line, on standard error, says who answered,\n"
      "tokens (asked + answered), time, and Byway's own share of it. Ctrl-C cancels the call.\n"
      "With --json the call record is printed instead.\n"
      "\nExamples:\n"
      "  byway chat byo:my-vllm/my-model \"Hello\"\n"
      "  git diff | byway chat byo:my-vllm --system \"Review this change\" > review.txt");
  command->callback([&globals, options] { globals.exit_code = run_chat(*options, globals); });
}

}  // namespace byway::cli
