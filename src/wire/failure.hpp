// UpstreamFailure: what an upstream did wrong, read from whatever it sent.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <byway/clock.hpp>
#include <byway/error.hpp>
#include <byway/request.hpp>
#include <byway/response.hpp>

#include "wire/dialect.hpp"
#include "wire/http_headers.hpp"

namespace byway::wire {

/// A failed answer. Holds the server's words scrubbed of everything but text; mask() takes keys out
/// of them.
struct UpstreamFailure {
  UpstreamClass upstream_class = UpstreamClass::none;
  /// One word, finer than the class: "redirect", "html", "not_json", "pending", "net_cut", ...;
  /// empty when the class says it all.
  std::string cause = {};
  /// The server's status, or the one inside the error when that is 400 to 599.
  int http_status = 0;
  /// The server's own `code` or `type`.
  std::string code = {};
  /// The server's message: at most 512 bytes of valid UTF-8 without control characters; of HTML
  /// only the title.
  std::string detail = {};
  std::optional<std::chrono::milliseconds> retry_after = {};
  /// By the class alone (wire.md 3.5): whether the same request may succeed on the same endpoint
  /// later. What may have been received or delivered is the router's to judge.
  bool retryable = false;
};

/// A whole answer as it came.
struct WholeAnswer {
  Operation operation = Operation::chat;
  int status = 0;
  HeadersView headers = {};
  std::string_view body = {};
  /// When it came, for waits given as dates.
  WallTime now = {};
  /// embeddings: how many vectors must be there; 0 when unknown.
  std::size_t inputs = 0;
};

/// What a whole answer says beside its contents.
struct AnswerHead {
  std::string model_served = {};
  Usage usage = {};
  bool has_usage = false;
};

/// Nothing when the answer is what was asked for (I2, I11, I16): 2xx, JSON, without an error, with
/// the key that the operation promises; `head` is filled in then, when it is given. Reads the body
/// once, whatever its size, and allocates nothing but the model's name then.
std::optional<UpstreamFailure> judge_whole(const WholeAnswer& answer, const Dialect& dialect,
                                           AnswerHead* head = nullptr);

/// The failure that an error event of a stream tells; `status` is the head's.
UpstreamFailure failure_of_event(std::string_view data, int status, const Dialect& dialect);

/// The column "retry same" of wire.md 3.5.
bool is_retryable(UpstreamClass upstream_class) noexcept;

/// Replaces the key, and everything that looks like one ("Bearer ...", "sk-..."), in the failure's
/// code and detail. `key` may be empty.
void mask(UpstreamFailure& failure, std::string_view key);
/// The same for any text.
std::string masked(std::string_view text, std::string_view key);

}  // namespace byway::wire
