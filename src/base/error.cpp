#include <byway/error.hpp>

#include <atomic>
#include <utility>

#include "base/json_quote.hpp"

namespace byway {

struct Error::Shared {
  explicit Shared(ErrorFields given) : fields(std::move(given)) {}
  ErrorFields fields;
  mutable std::atomic<int> owners{1};
};

namespace {

struct CodeRow {
  ErrorCode code;
  std::string_view name;
  int http_status;
  std::string_view type;
};

constexpr CodeRow code_rows[] = {
#define BYWAY_ERROR(number, name, http, type, meaning) {ErrorCode::name, #name, http, #type},
#include <byway/error_codes.def>
#undef BYWAY_ERROR
};

const CodeRow& row_of(ErrorCode code) noexcept {
  const CodeRow* fallback = &code_rows[0];
  for (const CodeRow& row : code_rows) {
    if (row.code == code) return row;
    if (row.code == ErrorCode::internal_error) fallback = &row;
  }
  return *fallback;
}

/// decisions.md section 6.
int status_of(UpstreamClass upstream_class) noexcept {
  switch (upstream_class) {
    case UpstreamClass::invalid_request:
    case UpstreamClass::unsupported:
    case UpstreamClass::context_length:
    case UpstreamClass::content_filter: return 400;
    case UpstreamClass::not_found_model: return 404;
    case UpstreamClass::payload_too_large: return 413;
    case UpstreamClass::auth:
    case UpstreamClass::quota:
    case UpstreamClass::not_found_route:
    case UpstreamClass::config_error: return 424;
    case UpstreamClass::rate_limited: return 429;
    case UpstreamClass::overloaded:
    case UpstreamClass::unavailable_starting: return 503;
    case UpstreamClass::timeout: return 504;
    case UpstreamClass::none:
    case UpstreamClass::unavailable:
    case UpstreamClass::upstream_error:
    case UpstreamClass::stream_truncated:
    case UpstreamClass::stream_error:
    case UpstreamClass::protocol_error:
    case UpstreamClass::cancelled: return 502;
  }
  return 502;
}

}  // namespace

std::string_view name_of(ErrorCode code) noexcept {
  return row_of(code).name;
}

std::string_view name_of(Sent sent) noexcept {
  switch (sent) {
    case Sent::no: return "no";
    case Sent::maybe: return "maybe";
    case Sent::yes: return "yes";
  }
  return "maybe";
}

std::string_view name_of(UpstreamClass upstream_class) noexcept {
  static constexpr std::string_view names[] = {"",
                                               "auth",
                                               "quota",
                                               "rate_limited",
                                               "overloaded",
                                               "unavailable_starting",
                                               "unavailable",
                                               "invalid_request",
                                               "unsupported",
                                               "context_length",
                                               "payload_too_large",
                                               "content_filter",
                                               "not_found_model",
                                               "not_found_route",
                                               "upstream_error",
                                               "stream_truncated",
                                               "stream_error",
                                               "timeout",
                                               "protocol_error",
                                               "config_error",
                                               "cancelled"};
  const auto index = static_cast<std::size_t>(upstream_class);
  return index < std::size(names) ? names[index] : std::string_view();
}

Error::Error(ErrorFields fields) : shared_(new Shared(std::move(fields))) {}

Error::Error(ErrorCode code, std::string message)
    : Error(ErrorFields{.code = code, .message = std::move(message)}) {}

Error::Error(const Error& other) noexcept : shared_(other.shared_) {
  shared_->owners.fetch_add(1, std::memory_order_relaxed);
}

// A moved-from Error keeps its record, so that there is no empty state to ask about.
Error::Error(Error&& other) noexcept : Error(std::as_const(other)) {}

Error& Error::operator=(const Error& other) noexcept {
  Error copy(other);
  std::swap(shared_, copy.shared_);
  return *this;
}

Error& Error::operator=(Error&& other) noexcept {
  std::swap(shared_, other.shared_);
  return *this;
}

Error::~Error() {
  if (shared_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete shared_;
}

const ErrorFields& Error::fields() const noexcept {
  return shared_->fields;
}

int Error::status() const noexcept {
  if (code() == ErrorCode::upstream_error) return status_of(upstream_class());
  return row_of(code()).http_status;
}

std::string_view Error::type() const noexcept {
  return row_of(code()).type;
}

std::string Error::json() const {
  std::string out = R"({"error":{"message":)";
  base::append_json_quoted(out, message());
  out += R"(,"type":)";
  base::append_json_quoted(out, type());
  out += R"(,"param":)";
  if (param().empty()) {
    out += "null";
  } else {
    base::append_json_quoted(out, param());
  }
  out += R"(,"code":)";
  base::append_json_quoted(out, name());
  out += "}}";
  return out;
}

}  // namespace byway
