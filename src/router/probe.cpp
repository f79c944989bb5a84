#include <byway/probe.hpp>

#include <array>
#include <map>
#include <utility>

#include "router/catalog_time.hpp"
#include "router/probe_reading.hpp"
#include "wire/dialect.hpp"
#include "wire/dialect_marks.hpp"

namespace byway {
namespace {

using router::ProbeBody;

/// What one call of the probe said.
struct Answer {
  std::optional<Response> response = {};
  std::optional<Error> error = {};
  bool is_good() const noexcept { return !error.has_value(); }
};

/// Whether trying another operation may still show something.
bool is_conclusive(const Error& error) {
  switch (error.upstream_class()) {
    case UpstreamClass::invalid_request:
    case UpstreamClass::unsupported:
    case UpstreamClass::not_found_route:
    case UpstreamClass::upstream_error:
    case UpstreamClass::protocol_error: return false;
    case UpstreamClass::none: return error.code() != ErrorCode::request_unsupported;
    default: return true;
  }
}

class Probing {
 public:
  Probing(Router& router, const Endpoint& endpoint, const ProbeOptions& options)
      : router_(router), endpoint_(endpoint), options_(options) {}

  Result<ProbeReport> run() {
    list_models();
    choose_model();
    if (!refusal_ && may_go_on() && !report_.record.model.empty()) try_operations();
    if (!refusal_ && report_.is_usable && report_.record.chat.value_or(false)) try_stream();
    if (!refusal_ && report_.is_usable && options_.is_thorough) try_more();
    if (refusal_) return *refusal_;
    finish();
    return std::move(report_);
  }

 private:
  Answer ask(const char* step, Operation operation, std::string_view body, bool is_streamed) {
    Request request{.operation = operation,
                    .body = body,
                    .model = model_id_,
                    .key = options_.key,
                    .purpose = Purpose::probe,
                    .timeouts = options_.timeouts};
    if (operation == Operation::models) request.model = provider_;
    const TimePoint begin = Clock::system()->now();
    Result<Response> result =
        is_streamed ? router_.stream(request).result() : router_.call(request).get();
    ProbeStep made{.name = step, .error = {}, .latency = Clock::system()->now() - begin};
    Answer answer;
    if (result) {
      answer.response.emplace(*std::move(result));
      note_answer(*answer.response);
    } else {
      answer.error = result.error();
      made.error = result.error();
      note_error(result.error());
    }
    report_.steps.push_back(std::move(made));
    return answer;
  }

  void note_answer(const Response& response) {
    report_.is_reachable = true;
    if (is_https()) report_.tls = true;
    router::note_rate_headers(response, report_.record.rate_headers);
    for (const wire::DialectMark& mark : wire::dialect_marks()) {
      const std::string_view value = mark.name.empty() ? "" : response.header(mark.name);
      if (!value.empty()) marked_headers_.insert_or_assign(std::string(mark.name), value);
    }
  }

  void note_error(const Error& error) {
    if (error.upstream_class() == UpstreamClass::none &&
        error.code() != ErrorCode::request_unsupported) {
      refusal_ = error;
      return;
    }
    const bool is_tls_fault = error.cause() == "net_tls_failed";
    const bool is_connected = error.http_status() != 0 || error.sent() != Sent::no || is_tls_fault;
    if (is_connected) report_.is_reachable = true;
    if (is_https() && is_connected) report_.tls = !is_tls_fault;
    if (error.upstream_class() == UpstreamClass::auth) report_.key_accepted = false;
    last_error_ = error;
  }

  bool is_https() const { return settings_.base_url.starts_with("https:"); }

  /// After a failed list: an endpoint that cannot be reached, or refuses the key, says so to every
  /// call.
  bool may_go_on() const {
    return !last_error_ || report_.steps.empty() || !is_conclusive(*last_error_) ||
           last_error_->upstream_class() == UpstreamClass::unavailable_starting;
  }

  void list_models() {
    const Answer answer = ask("models", Operation::models, {}, false);
    if (!answer.is_good()) {
      // A server without a list is not a bad one (wire.md 1.2).
      if (answer.error->code() == ErrorCode::request_unsupported) report_.steps.pop_back();
      return;
    }
    const std::vector<Item>& items = answer.response->items();
    report_.models_listed = static_cast<std::int64_t>(items.size());
    if (!items.empty()) first_listed_ = items.front().id;
    list_ = std::string(answer.response->body());
    report_.latency = answer.response->metadata().latency;
  }

  void choose_model() {
    std::string model(options_.model);
    if (model.empty()) model = settings_.default_model;
    if (model.empty() && settings_.allow) {
      for (const std::string& allowed : *settings_.allow) {
        if (model.empty() && allowed != "*") model = allowed;
      }
    }
    if (model.empty()) model = first_listed_;
    if (!model.empty()) {
      report_.record.context_length = router::context_length_of(list_, model);
      model_id_ = provider_ + "/" + model;
    }
    report_.record.model = std::move(model);
  }

  void try_operations() {
    std::array order = {Operation::chat, Operation::completions, Operation::embeddings};
    if (router::is_for_embeddings(settings_.tags)) std::swap(order.front(), order.back());
    report_.latency.reset();
    for (const Operation operation : order) {
      if (try_operation(operation) || refusal_) return;
      if (last_error_ && is_conclusive(*last_error_)) return;
    }
  }

  bool try_operation(Operation operation) {
    const std::string name(name_of(operation));
    Answer answer = ask(name.c_str(), operation, body_of(operation), false);
    if (!answer.is_good() && router::wants_other_length(*answer.error)) {
      // OpenAI's reasoning models refuse max_tokens, others do not know the newer name.
      length_field_ = "max_completion_tokens";
      answer = ask(name.c_str(), operation, body_of(operation), false);
    }
    std::optional<bool>& works = operation == Operation::chat          ? report_.record.chat
                                 : operation == Operation::completions ? report_.record.completions
                                                                       : report_.record.embeddings;
    works = answer.is_good();
    if (!answer.is_good()) {
      if (answer.error->upstream_class() == UpstreamClass::not_found_model) {
        report_.model_known = false;
      }
      return false;
    }
    report_.is_usable = true;
    report_.model_known = true;
    if (endpoint_.has_key) report_.key_accepted = true;
    if (!report_.latency) report_.latency = answer.response->metadata().latency;
    if (operation == Operation::embeddings) note_dimensions(*answer.response);
    return true;
  }

  std::string body_of(Operation operation) const {
    return ProbeBody{.operation = operation, .length_field = length_field_}.json();
  }

  void note_dimensions(const Response& response) {
    if (response.embeddings().empty()) return;
    report_.record.dimensions = static_cast<std::int64_t>(response.embeddings().front().size());
  }

  void try_stream() {
    ProbeBody body{.operation = Operation::chat, .length_field = length_field_};
    body.asks_usage = true;
    Answer answer = ask("stream", Operation::chat, body.json(), true);
    if (!answer.is_good() && !is_conclusive(*answer.error)) {
      // Some servers refuse stream_options and stream well without.
      body.asks_usage = false;
      answer = ask("stream", Operation::chat, body.json(), true);
    }
    report_.record.stream =
        answer.is_good() && !router::has_note(*answer.response, "stream_not_honoured");
    if (!answer.is_good()) return;
    report_.record.usage_in_stream = answer.response->reply().has_usage;
    const std::chrono::nanoseconds first = answer.response->metadata().first_token;
    if (first.count() > 0) report_.first_token = first;
  }

  void try_more() {
    if (report_.record.chat.value_or(false)) {
      try_tools();
      try_schema();
      const Answer answer = ask_chat("logprobs", {.has_logprobs = true});
      report_.record.logprobs =
          answer.is_good() && router::has_logprobs(answer.response->body(), 1);
    }
    try_echo();
    if (!refusal_ && !report_.record.embeddings) try_operation(Operation::embeddings);
    if (!refusal_) report_.record.thorough_at = "now";
  }

  Answer ask_chat(const char* step, ProbeBody body) {
    if (refusal_) return Answer{.error = refusal_};
    body.length_field = length_field_;
    return ask(step, Operation::chat, body.json(), false);
  }

  void try_tools() {
    Answer answer =
        ask_chat("tools", {.has_tools = true, .must_call = true, .length = value_length});
    const bool was_forced = answer.is_good();
    // Some servers refuse tool_choice and take tools well without.
    if (!was_forced && answer.error->upstream_class() == UpstreamClass::invalid_request) {
      answer = ask_chat("tools", {.has_tools = true});
    }
    report_.record.tools = answer.is_good();
    if (!was_forced) return;
    const bool is_called = !answer.response->tool_calls().empty();
    // A model that thinks first may not have come to the call.
    if (is_called || answer.response->finish_reason() != "length") {
      report_.record.tool_calls = is_called;
    }
  }

  void try_schema() {
    const Answer answer = ask_chat("json_schema", {.has_schema = true, .length = value_length});
    report_.record.json_schema = answer.is_good();
    if (!answer.is_good()) return;
    const bool is_kept = router::keeps_probe_schema(answer.response->text());
    if (is_kept || answer.response->finish_reason() != "length") {
      report_.record.json_schema_kept = is_kept;
    }
  }

  /// What evaluation harnesses need: log probabilities of a prompt, by way of `echo`.
  void try_echo() {
    if (refusal_) return;
    const ProbeBody body{
        .operation = Operation::completions, .length_field = length_field_, .has_echo = true};
    const Answer answer = ask("echo", Operation::completions, body.json(), false);
    if (!answer.is_good() && answer.error->code() == ErrorCode::request_unsupported) {
      report_.steps.pop_back();
    }
    if (answer.is_good()) report_.record.completions = true;
    report_.record.echo_logprobs =
        answer.is_good() &&
        answer.response->text().find(router::echo_prompt) != std::string::npos &&
        router::has_logprobs(answer.response->body(), 3);
  }

  void propose_dialect() {
    if (!report_.is_reachable) return;
    const std::vector<std::string> owners = router::owners_in(list_);
    const wire::DialectMark* mark = wire::matching_mark(
        {.base_url = settings_.base_url,
         .owned_by = owners,
         .header = [this](std::string_view name) -> std::optional<std::string_view> {
           const auto found = marked_headers_.find(name);
           if (found == marked_headers_.end()) return {};
           return found->second;
         }});
    if (mark == nullptr || mark->dialect == wire::preset_of_setting(settings_.dialect)) return;
    report_.record.proposed_dialect = mark->dialect;
    report_.record.proposal_reason = wire::describe(*mark);
  }

  void finish() {
    if (report_.record.model.empty() && report_.models_listed) report_.is_usable = true;
    if (!report_.is_usable) {
      report_.problem = last_error_;
      if (!last_error_ || last_error_->code() == ErrorCode::request_unsupported) {
        report_.problem = Error(ErrorCode::request_invalid_model,
                                provider_ + " has no model to try: name one as its default_model");
      }
    }
    propose_dialect();
    CapabilityRecord& record = report_.record;
    record.probed_at = router::rfc3339(Clock::system()->wall_now());
    if (!record.thorough_at.empty()) record.thorough_at = record.probed_at;
    record.is_usable = report_.is_usable;
    if (!report_.problem) return;
    const std::string_view upstream_class = name_of(report_.problem->upstream_class());
    record.problem = upstream_class.empty() ? report_.problem->name() : upstream_class;
  }

  Router& router_;
  const Endpoint& endpoint_;
  const EndpointSettings& settings_ = endpoint_.settings;
  const ProbeOptions& options_;
  ProbeReport report_;
  std::string provider_ = "byo:" + settings_.slug;
  std::string model_id_;
  std::string first_listed_;
  std::string list_;
  std::map<std::string, std::string, std::less<>> marked_headers_;
  /// Enough for a call of a tool without parameters, or for an object of one flag.
  static constexpr int value_length = 32;
  const char* length_field_ = "max_tokens";
  std::optional<Error> last_error_;
  std::optional<Error> refusal_;
};

void keep(Router& router, std::string_view slug, ProbeReport& report) {
  const auto kept = router.admin_as_owner().keep_capabilities(slug, report.record);
  report.is_kept = kept.has_value();
  if (!kept && kept.error().code() != ErrorCode::registry_read_only) {
    report.keep_problem = kept.error();
  }
}

}  // namespace

Result<ProbeReport> probe_endpoint(Router& router, std::string_view slug,
                                   const ProbeOptions& options) {
  const Result<Endpoint> endpoint = router.admin_as_owner().endpoint(slug);
  if (!endpoint) return endpoint.error();
  Result<ProbeReport> report = Probing(router, *endpoint, options).run();
  if (report && options.keeps_record) keep(router, slug, *report);
  return report;
}

}  // namespace byway
