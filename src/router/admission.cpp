#include "router/admission.hpp"

#include <utility>

#include "wire/model_id.hpp"

namespace byway::router {
namespace {

Error refusal(ErrorCode code, std::string message, std::string_view param = {},
              std::string_view slug = {}) {
  ErrorFields fields{.code = code, .message = std::move(message), .param = std::string(param)};
  if (!slug.empty()) fields.endpoint = "byo:" + std::string(slug);
  return Error(std::move(fields));
}

Result<void> check_key(const RouterOptions& options, std::string_view key) {
  if (key.empty() && !options.require_key) return {};
  ErrorFields fields{.code = ErrorCode::invalid_api_key};
  fields.reason = key.empty() ? "missing" : "unknown";
  fields.message = key.empty() ? "this router requires a customer key and none was given"
                               : "the customer key is not known";
  return Error(std::move(fields));
}

/// The model as the caller names it: Request::model, or the body's. `scratch` holds it where it had
/// escapes.
Result<std::string_view> model_of(const Request& request, const wire::RequestScan& scan,
                                  std::string& scratch) {
  if (!request.model.empty()) return request.model;
  if (scan.model_text) return scan.model_text->text(scratch);
  const char* message = scan.model.is_present()
                            ? "model is not a string: name one as byo:<slug>/<upstream-model>"
                            : "no model is given: name one as byo:<slug>/<upstream-model>";
  return refusal(ErrorCode::request_invalid_model, message, "model");
}

Result<void> check_shape(const Request& request, bool is_streamed) {
  const bool can_stream = request.operation == Operation::chat ||
                          request.operation == Operation::completions ||
                          request.operation == Operation::responses;
  if (is_streamed && !can_stream) {
    return refusal(ErrorCode::request_invalid,
                   std::string(name_of(request.operation)) + " cannot be streamed: use call()",
                   "stream");
  }
  if (request.operation == Operation::models && !request.body.empty()) {
    return refusal(ErrorCode::request_invalid,
                   "models takes no body: name the endpoint in Request::model");
  }
  return {};
}

}  // namespace

Result<Admitted> admit(const RouterOptions& options, const registry::Snapshot& snapshot,
                       const Request& request, bool is_streamed) {
  if (request.body.size() > options.request_bytes_max) {
    return refusal(ErrorCode::request_too_large,
                   "the body has " + std::to_string(request.body.size()) + " bytes and " +
                       std::to_string(options.request_bytes_max) + " are allowed");
  }
  if (auto good = check_key(options, request.key); !good) return good.error();
  if (auto good = check_shape(request, is_streamed); !good) return good.error();

  Admitted admitted;
  const bool has_body = request.operation != Operation::models;
  if (has_body) {
    auto scan = wire::scan_request(request.body, request.operation);
    if (!scan) return scan.error();
    admitted.scan = *scan;
  }
  std::string scratch;
  const auto model = model_of(request, admitted.scan, scratch);
  if (!model) return model.error();
  const auto id = has_body ? wire::parse_model_id(*model) : wire::parse_endpoint_id(*model);
  if (!id) return id.error();

  admitted.entry = snapshot.find(options.org, id->slug);
  if (!admitted.entry) {
    return refusal(ErrorCode::byo_endpoint_not_found,
                   "there is no endpoint byo:" + std::string(id->slug), "model", id->slug);
  }
  const EndpointSettings& settings = admitted.entry->endpoint.settings;
  if (!settings.enabled) {
    return refusal(ErrorCode::byo_endpoint_disabled,
                   "endpoint byo:" + settings.slug + " is disabled", "model", id->slug);
  }
  if (has_body && !admitted.entry->allows_model(id->upstream)) {
    return refusal(
        ErrorCode::byo_model_not_allowed,
        "endpoint byo:" + settings.slug + " does not allow the model " + std::string(id->upstream),
        "model", id->slug);
  }
  if (!admitted.entry->dialect.offers(request.operation)) {
    return refusal(ErrorCode::request_unsupported,
                   "endpoint byo:" + settings.slug + " speaks the dialect " +
                       admitted.entry->dialect.name + ", which has no " +
                       std::string(name_of(request.operation)),
                   {}, id->slug);
  }
  admitted.upstream_model.assign(id->upstream);
  return admitted;
}

}  // namespace byway::router
