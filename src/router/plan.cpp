#include "router/plan.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "wire/ascii.hpp"
#include "wire/http_headers.hpp"
#include "wire/member_names.hpp"
#include "wire/model_id.hpp"

namespace byway::router {
namespace {

using std::chrono::milliseconds;
using Limit = std::optional<milliseconds>;

Limit first_given(const Limit& call, const Limit& endpoint, const Limit& options,
                  milliseconds otherwise) {
  for (const Limit* limit : {&call, &endpoint, &options}) {
    if (*limit) return *limit;
  }
  return otherwise;
}

/// Whole header lines, one after the other in `plan.header_text`, which never grows while views of
/// it are made.
Result<void> add_headers(AttemptPlan& plan, const Request& request, std::string_view own_prefix) {
  constexpr std::string_view json_body = "Content-Type: application/json";
  constexpr std::string_view wants_json = "Accept: application/json";
  constexpr std::string_view wants_events = "Accept: text/event-stream";
  plan.header_lines.reserve(request.headers.size() + 2);
  if (request.operation != Operation::models) plan.header_lines.push_back(json_body);
  plan.header_lines.push_back(plan.is_streamed ? wants_events : wants_json);
  std::size_t size = 0;
  for (const Header& header : request.headers) size += header.name.size() + header.value.size() + 2;
  plan.header_text.reserve(size);
  for (const Header& header : request.headers) {
    const auto verdict = wire::check_request_header(header.name, header.value);
    if (!verdict) return verdict.error();
    const bool is_own = wire::begins_with_lower(header.name, own_prefix);
    if (is_own || *verdict == wire::HeaderVerdict::strip) continue;
    const std::size_t begin = plan.header_text.size();
    plan.header_text.append(header.name).append(": ").append(header.value);
    plan.header_lines.push_back(std::string_view(plan.header_text).substr(begin));
  }
  return {};
}

/// Whether the operation is told by `stream`, which is then always sent (wire.md 0.4).
bool has_stream(Operation operation) {
  return operation == Operation::chat || operation == Operation::completions ||
         operation == Operation::responses;
}

/// Members that the endpoint's kind of server is known not to take.
Result<void> look_for_members(AttemptPlan& plan) {
  const wire::DialectBody& body = plan.entry->dialect.body_of(plan.operation);
  if (!body.ignored.empty()) plan.ignored = wire::members_among(plan.body, body.ignored);
  if (body.refused.empty()) return {};
  const auto refused = wire::members_among(plan.body, body.refused);
  if (refused.empty()) return {};
  ErrorFields fields{.code = ErrorCode::request_unsupported, .param = std::string(refused.front())};
  fields.message = plan.entry->provider + " speaks the dialect " + plan.entry->dialect.name +
                   ", which does not take " + fields.param;
  fields.endpoint = plan.entry->provider;
  return Error(std::move(fields));
}

/// What the endpoint needs of a body whose places `scan` holds.
Result<wire::Splice> edit_body(const AttemptPlan& plan, std::string_view bytes,
                               const wire::RequestScan& scan) {
  const wire::Dialect& dialect = plan.entry->dialect;
  const wire::DialectBody& body = dialect.body_of(plan.operation);
  wire::RequestEdit edit;
  edit.model = plan.upstream_model;
  edit.omit_model = dialect.omits_model;
  if (has_stream(plan.operation)) edit.stream = plan.is_streamed;
  if (plan.is_streamed) edit.usage = dialect.usage;
  edit.extra_body = plan.entry->endpoint.settings.extra_body;
  edit.drop = body.drop;
  edit.rename = body.rename;
  edit.set_default = body.set_default;
  return wire::edit_request(bytes, scan, edit);
}

std::string_view advice_for(UpstreamClass upstream_class) {
  switch (upstream_class) {
    case UpstreamClass::auth: return "check the endpoint's upstream key (byway endpoint rotate)";
    case UpstreamClass::quota: return "the account behind the upstream key has no quota left";
    case UpstreamClass::rate_limited: return "slow down or retry after the stated time";
    case UpstreamClass::overloaded: return "the server has no capacity now; retry later";
    case UpstreamClass::unavailable_starting: return "the server is starting; retry later";
    case UpstreamClass::unavailable:
      return "check that the server runs and that the base URL is right";
    case UpstreamClass::not_found_model: return "the server does not know this model";
    case UpstreamClass::not_found_route:
      return "the server does not offer this operation at this base URL";
    case UpstreamClass::context_length: return "the request is longer than the model's context";
    case UpstreamClass::timeout: return "raise the limit if the server needs longer";
    case UpstreamClass::stream_truncated:
      return "the stream ended before its end; what arrived is not complete";
    case UpstreamClass::config_error: return "check the endpoint's settings";
    default: return "";
  }
}

}  // namespace

Timeouts effective_timeouts(const Timeouts& call, const EndpointTimeouts& endpoint,
                            const Timeouts& options) {
  return Timeouts{
      .connect = first_given(call.connect, endpoint.connect, options.connect, milliseconds(5'000)),
      .first_byte = first_given(call.first_byte, endpoint.first_byte, options.first_byte,
                                milliseconds(120'000)),
      .first_token = first_given(call.first_token, endpoint.first_token, options.first_token,
                                 milliseconds(300'000)),
      .stall = first_given(call.stall, endpoint.stall, options.stall, milliseconds(60'000)),
      .total = first_given(call.total, endpoint.total, options.total, milliseconds(600'000)),
  };
}

Result<void> plan_attempts(AttemptPlan& plan, const RouterOptions& options, const Request& request,
                           Admitted admitted, bool is_streamed, const Timeouts& timeouts) {
  plan.operation = request.operation;
  plan.is_streamed = is_streamed;
  plan.may_resend = request.retry_ambiguous;
  if (options.token && !admitted.entry->open_key) plan.token = &options.token;
  plan.reply_bytes_max = options.reply_bytes_max;
  plan.event_bytes_max = options.event_bytes_max;
  plan.scan = admitted.scan;
  plan.scan.model_text.reset();  // views the caller's bytes
  plan.limits = {*timeouts.connect, *timeouts.first_byte, *timeouts.stall};
  plan.model_id = std::move(admitted.model_id);
  plan.upstream_model = wire::upstream_of(plan.model_id);
  plan.entry = std::move(admitted.entry);
  if (auto added = add_headers(plan, request, options.header_prefix); !added) return added.error();
  auto target = plan.entry->target(request.operation, plan.upstream_model);
  if (!target) return target.error();
  plan.target = *std::move(target);
  if (request.operation == Operation::models) return {};
  plan.body.assign(request.body);
  auto edited = edit_body(plan, plan.body, plan.scan);
  if (!edited) return edited.error();
  plan.edited = *std::move(edited);
  return look_for_members(plan);
}

Result<void> replace_body(AttemptPlan& plan, std::string body) {
  auto scan = wire::scan_request(body, plan.operation);
  if (!scan) return scan.error();
  // On the heap, where moving it leaves the pieces' views good.
  body.reserve(std::max<std::size_t>(body.size(), sizeof(std::string)));
  auto edited = edit_body(plan, body, *scan);
  if (!edited) return edited.error();
  plan.body = std::move(body);
  plan.edited = *std::move(edited);
  plan.scan = *scan;
  plan.scan.model_text.reset();
  return {};
}

std::string describe(const wire::UpstreamFailure& failure, std::string_view provider,
                     std::string_view model) {
  std::string text(provider);
  if (!model.empty()) text.append(" (").append(model).append(")");
  text.append(" failed: ").append(name_of(failure.upstream_class));
  if (!failure.cause.empty()) text.append(", ").append(failure.cause);
  if (failure.http_status != 0) text.append(", HTTP ").append(std::to_string(failure.http_status));
  if (!failure.detail.empty()) text.append(": ").append(failure.detail);
  const std::string_view advice = advice_for(failure.upstream_class);
  if (!advice.empty()) text.append(". ").append(advice);
  return text;
}

}  // namespace byway::router
