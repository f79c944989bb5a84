#include "router/admission.hpp"

#include <algorithm>
#include <utility>

#include "base/request_id.hpp"
#include "registry/alias_rules.hpp"
#include "router/caller.hpp"
#include "router/candidates.hpp"
#include "router/permissions.hpp"
#include "wire/json_write.hpp"
#include "wire/model_id.hpp"

namespace byway::router {
namespace {

constexpr std::string_view model_prefix = "byo:";
/// How much of a model id an error shows.
constexpr std::size_t shown_max = 80;

Error refusal(ErrorCode code, std::string message, std::string_view param = {},
              std::string_view slug = {}) {
  ErrorFields fields{.code = code, .message = std::move(message), .param = std::string(param)};
  if (!slug.empty()) fields.endpoint = "byo:" + std::string(slug);
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

/// Step 2, and the right to make calls.
Result<void> admit_caller(const RouterOptions& options, const registry::Access& access,
                          std::string_view key, Admitted& admitted) {
  if (!key.empty() || options.require_key) {
    const WallTime now = options.clock ? options.clock->wall_now() : Clock::system()->wall_now();
    auto record = check_customer_key(access, key, now);
    if (!record) return record.error();
    admitted.key = *std::move(record);
    admitted.org = admitted.key->key.org;
    const Role role = admitted.key->key.settings.role;
    if (!has_permission(role, Permission::calls_make)) {
      return refusal(ErrorCode::policy_forbidden,
                     "the role " + std::string(name_of(role)) + " may not make calls");
    }
  }
  if (!admitted.key) admitted.org = options.org;
  const auto& org = access.find_org(admitted.org);
  if (org && org->problem) return *org->problem;
  if (admitted.key) {
    admitted.limits = admitted.key->limits;
  } else if (org) {
    admitted.limits = org->limits;
  }
  return {};
}

Error model_not_allowed(std::string_view model) {
  return refusal(
      ErrorCode::model_not_allowed,
      "this customer key may not use the model " + std::string(wire::utf8_prefix(model, shown_max)),
      "model");
}

/// Steps 4 to 8 for one model id.
class EndpointSteps {
 public:
  EndpointSteps(const registry::Snapshot& snapshot, const Request& request)
      : snapshot_(snapshot), operation_(request.operation) {}

  Result<void> run(std::string_view model, bool is_granted, Admitted& admitted) const {
    auto id = parse(model);
    if (!id) return id.error();
    if (!is_granted && !is_allowed(model, id->slug, admitted)) return model_not_allowed(model);
    auto entry = snapshot_.find(admitted.org, id->slug);
    if (!entry) {
      return refusal(ErrorCode::byo_endpoint_not_found,
                     "there is no endpoint byo:" + std::string(id->slug), "model", id->slug);
    }
    if (Result<void> good = check_entry(*entry, *id, admitted); !good) return good;
    admitted.entry = std::move(entry);
    admitted.model_id.assign(model);
    return {};
  }

  Result<wire::ModelId> parse(std::string_view model) const {
    return has_body() ? wire::parse_model_id(model) : wire::parse_endpoint_id(model);
  }

 private:
  bool has_body() const noexcept { return operation_ != Operation::models; }

  bool is_allowed(std::string_view model, std::string_view slug, const Admitted& admitted) const {
    if (!admitted.key) return true;
    const registry::KeyAllowlist& allow = admitted.key->allow;
    return has_body() ? allow.allows_model(model, slug) : allow.touches(slug);
  }

  Result<void> check_entry(const registry::Entry& entry, const wire::ModelId& id,
                           const Admitted& admitted) const {
    const EndpointSettings& settings = entry.endpoint.settings;
    const std::string name = "byo:" + settings.slug;
    if (!settings.enabled) {
      return refusal(ErrorCode::byo_endpoint_disabled, "endpoint " + name + " is disabled", "model",
                     id.slug);
    }
    if (has_body() && !entry.allows_model(id.upstream)) {
      return refusal(ErrorCode::byo_model_not_allowed,
                     "endpoint " + name + " does not allow the model " + std::string(id.upstream),
                     "model", id.slug);
    }
    const std::string* pinned = admitted.key ? &admitted.key->key.settings.region : nullptr;
    if (pinned != nullptr && !pinned->empty() && *pinned != settings.region) {
      return refusal(ErrorCode::provider_not_permitted,
                     "this customer key is pinned to the region " + *pinned + ", and endpoint " +
                         name + (settings.region.empty() ? " declares none" : " is in another"),
                     "model", id.slug);
    }
    if (!entry.dialect.offers(operation_)) {
      return refusal(ErrorCode::request_unsupported,
                     "endpoint " + name + " speaks the dialect " + entry.dialect.name +
                         ", which has no " + std::string(name_of(operation_)),
                     {}, id.slug);
    }
    return check_tags(entry, admitted);
  }

  static Result<void> check_tags(const registry::Entry& entry, const Admitted& admitted) {
    if (!admitted.alias) return {};
    const EndpointSettings& settings = entry.endpoint.settings;
    for (const std::string& wanted : admitted.alias->require) {
      const auto& tags = settings.tags;
      if (std::find(tags.begin(), tags.end(), wanted) != tags.end()) continue;
      return refusal(
          ErrorCode::request_unsupported,
          "endpoint byo:" + settings.slug + " lacks the tag " + wanted + " that the alias requires",
          "model", settings.slug);
    }
    return {};
  }

  const registry::Snapshot& snapshot_;
  Operation operation_;
};

/// A key whose list names no alias is answered alike whether there is one or not.
Result<void> admit_alias(const registry::Snapshot& snapshot, const EndpointSteps& steps,
                         std::string_view name, const AdmissionOptions& with, Admitted& admitted) {
  const registry::KeyAllowlist* allow = admitted.key ? &admitted.key->allow : nullptr;
  const bool is_granted = allow == nullptr || allow->allows_all() || allow->names_alias(name);
  admitted.alias = snapshot.access().find_alias(admitted.org, name);
  if (!admitted.alias) {
    if (!is_granted) return model_not_allowed(name);
    return refusal(ErrorCode::byo_endpoint_not_found,
                   "there is no alias " + std::string(name) +
                       "; a model of an endpoint is named byo:<slug>/<upstream-model>",
                   "model");
  }
  const std::uint64_t seed =
      with.request_id.empty() ? base::random_bits() : seed_of(with.request_id);
  std::optional<Error> last;
  for (const std::string_view model : candidates_of(*admitted.alias, seed)) {
    Result<void> passed = steps.run(model, is_granted, admitted);
    if (passed) {
      admitted.is_fallback = last.has_value();
      return {};
    }
    // What the key may not name must not be told of.
    last = passed.error().code() == ErrorCode::model_not_allowed ? model_not_allowed(name)
                                                                 : passed.error();
    const bool is_secret = last->code() == ErrorCode::model_not_allowed;
    if (with.dropped != nullptr && !is_secret) {
      with.dropped->push_back(DroppedCandidate{std::string(model), *last});
    }
  }
  return *last;
}

}  // namespace

Result<void> admit(Admitted& admitted, const RouterOptions& options,
                   const registry::Snapshot& snapshot, const Request& request, bool is_streamed,
                   AdmissionOptions with) {
  if (request.body.size() > options.request_bytes_max) {
    return refusal(ErrorCode::request_too_large,
                   "the body has " + std::to_string(request.body.size()) + " bytes and " +
                       std::to_string(options.request_bytes_max) + " are allowed");
  }
  Result<void> good = admit_caller(options, snapshot.access(), request.key, admitted);
  if (!good) return good;
  if (good = check_shape(request, is_streamed); !good) return good;
  if (request.operation != Operation::models) {
    auto scan = wire::scan_request(request.body, request.operation);
    if (!scan) return scan.error();
    admitted.scan = *scan;
  }
  std::string scratch;
  const auto model = model_of(request, admitted.scan, scratch);
  if (!model) return model.error();
  admitted.model_id.assign(*model);
  const EndpointSteps steps(snapshot, request);
  const bool is_alias = !model->starts_with(model_prefix) && registry::is_alias_name(*model);
  return is_alias ? admit_alias(snapshot, steps, *model, with, admitted)
                  : steps.run(*model, false, admitted);
}

}  // namespace byway::router
