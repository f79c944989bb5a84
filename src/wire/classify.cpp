#include "wire/classify.hpp"

#include <algorithm>
#include <initializer_list>

#include "wire/ascii.hpp"

namespace byway::wire {
namespace {

using Words = std::initializer_list<std::string_view>;

bool has_any(std::string_view text, Words needles) {
  return std::any_of(needles.begin(), needles.end(),
                     [&](std::string_view needle) { return contains_lower(text, needle); });
}

bool is_any(const ErrorWords& words, Words names) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    return equals_lower(words.code, name) || equals_lower(words.type, name);
  });
}

bool matches(const ErrorRule& rule, int status, const ErrorWords& words) {
  if (rule.status && *rule.status != status) return false;
  const auto is_code = [&](const std::string& code) {
    return words.code == code || words.type == code;
  };
  if (!rule.code_in.empty() && std::none_of(rule.code_in.begin(), rule.code_in.end(), is_code)) {
    return false;
  }
  const auto is_in_text = [&](const std::string& text) {
    return contains_lower(words.message, text);
  };
  return rule.text_has.empty() ||
         std::any_of(rule.text_has.begin(), rule.text_has.end(), is_in_text);
}

/// The recognisers of wire.md 1.4, for servers that tell an overflow in a status and a code that
/// mean anything.
bool is_context_overflow(int status, const ErrorWords& words) {
  const bool may_be = status <= 400 || status == 413 || status == 422 || status == 500;
  if (!may_be) return false;
  return is_any(words, {"context_length_exceeded", "exceed_context_size_error",
                        "contextwindowexceedederror"}) ||
         has_any(words.message,
                 {"maximum context length", "context size", "context window",
                  "contextwindowexceedederror", "input is too long", "prompt is too long",
                  "`inputs` tokens + `max_new_tokens`", "exceeds the model's"});
}

bool is_content_filter(int status, const ErrorWords& words) {
  if (is_any(words, {"content_filter", "content_policy_violation", "responsibleaipolicyviolation",
                     "moderation_blocked"})) {
    return true;
  }
  return words.is_moderation && (status == 400 || status == 403);
}

bool is_quota(const ErrorWords& words) {
  return is_any(words, {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active",
                        "payment_required", "insufficient_credits"});
}

bool is_rate_limit(const ErrorWords& words) {
  return is_any(words,
                {"rate_limit_exceeded", "rate_limit_error", "rate_limited", "too_many_requests",
                 "resource_exhausted", "throttlingexception", "ratelimiterror"});
}

/// One request alone that is larger than the limit (Groq does this with 429) will never pass.
bool is_larger_than_limit(const ErrorWords& words) {
  return has_any(words.message, {"request too large", "larger than the limit",
                                 "request is too large", "please reduce your message size"});
}

bool is_overloaded(const ErrorWords& words) {
  if (is_any(words, {"overloaded", "overloaded_error", "server_overloaded", "engine_overloaded",
                     "model_overloaded"})) {
    return true;
  }
  return has_any(words.message, {"overloaded", "queue full", "queue is full", "server busy",
                                 "server is busy", "at capacity", "no slot available"});
}

bool is_loading(const ErrorWords& words) {
  return has_any(words.message, {"loading model", "model is loading", "model is currently loading",
                                 "still loading", "is starting up", "scaling up"});
}

bool is_missing_model(const ErrorWords& words) {
  return is_any(words,
                {"model_not_found", "deploymentnotfound", "model_not_available", "invalid_model"});
}

/// A 404 that names a model is about the model, any other about the path.
UpstreamClass class_of_404(const ErrorWords& words) {
  const bool names_model =
      words.is_json && has_any(words.message, {"model", "deployment", "adapter"});
  return names_model ? UpstreamClass::not_found_model : UpstreamClass::not_found_route;
}

UpstreamClass class_of_status(int status, const ErrorWords& words) {
  switch (status) {
    case 401:
    case 403: return UpstreamClass::auth;
    case 402: return UpstreamClass::quota;
    case 404: return class_of_404(words);
    case 405:
    case 501: return UpstreamClass::not_found_route;
    case 408:
    case 424:
    case 425:
    case 503:
    case 529: return UpstreamClass::overloaded;
    case 410: return UpstreamClass::not_found_model;
    case 412: return UpstreamClass::unavailable_starting;
    case 413: return UpstreamClass::payload_too_large;
    case 429: return UpstreamClass::rate_limited;
    case 502:
    case 504: return UpstreamClass::unavailable;
    default: break;
  }
  if (status >= 520 && status <= 527) return UpstreamClass::unavailable;  // Cloudflare's own
  if (status >= 400 && status <= 498) return UpstreamClass::invalid_request;
  return UpstreamClass::upstream_error;
}

/// What the words say where the status says little: an error inside a 200, or one whose status
/// covers several cases.
UpstreamClass class_of_words(int status, const ErrorWords& words) {
  const bool is_vague = status < 400 || status == 422 || status >= 500;
  if (is_content_filter(status, words)) return UpstreamClass::content_filter;
  if (is_quota(words)) return UpstreamClass::quota;
  if (status == 429 && is_larger_than_limit(words)) return UpstreamClass::payload_too_large;
  if ((is_vague || status == 429) && is_rate_limit(words)) return UpstreamClass::rate_limited;
  if (is_vague && is_loading(words)) return UpstreamClass::unavailable_starting;
  if (is_vague && is_overloaded(words)) return UpstreamClass::overloaded;
  if (status != 429 && is_missing_model(words)) return UpstreamClass::not_found_model;
  if (has_any(words.message, {"unexpected endpoint or method"})) {
    return UpstreamClass::not_found_route;
  }
  if (is_any(words, {"unsupportedparamserror", "unsupported_parameter", "unsupported_value"})) {
    return UpstreamClass::unsupported;
  }
  if (status >= 400) return UpstreamClass::none;
  if (is_any(words,
             {"invalid_api_key", "authentication_error", "unauthorized", "unauthenticated"})) {
    return UpstreamClass::auth;
  }
  if (is_any(words, {"invalid_request_error", "bad_request", "validation"})) {
    return UpstreamClass::invalid_request;
  }
  return UpstreamClass::none;
}

}  // namespace

UpstreamClass classify(int status, const ErrorWords& words, const Dialect& dialect) {
  for (const ErrorRule& rule : dialect.errors) {
    if (matches(rule, status, words)) return rule.upstream_class;
  }
  if (is_context_overflow(status, words)) return UpstreamClass::context_length;
  const UpstreamClass by_words = class_of_words(status, words);
  return by_words != UpstreamClass::none ? by_words : class_of_status(status, words);
}

}  // namespace byway::wire
