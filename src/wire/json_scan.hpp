// RequestScan: a request body checked whole, with the places of what Byway reads or writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <byway/request.hpp>
#include <byway/result.hpp>

#include "wire/json_cursor.hpp"

namespace byway::wire {

/// One top-level member: `"name" : value`.
struct Member {
  /// From the name's quote to the end of the value.
  ByteSpan whole = {};
  ByteSpan value = {};
  bool is_present() const noexcept { return !whole.is_empty(); }
};

/// How many tokens of output a request allows.
struct OutputBound {
  /// The largest of max_tokens, max_completion_tokens and max_output_tokens that is a positive
  /// integer.
  std::optional<std::int64_t> tokens = {};
  /// One of them is there and bounds nothing: -1, 0, "12", null, 1e308.
  bool is_odd = false;
};

/// Places in the scanned body and what stands there. Holds no memory of its own.
struct RequestScan {
  /// Just after '{', and just after the last member (or after '{' when there is none).
  std::size_t members_begin = 0;
  std::size_t members_end = 0;
  std::size_t members = 0;
  Member model = {};
  Member stream = {};
  Member stream_options = {};
  Member messages = {};
  Member tools = {};
  /// The one with the longest value, so that a second walk may jump over it.
  Member longest = {};
  /// The model's text, without quotes; absent when there is none or it is not a string.
  std::optional<JsonString> model_text = {};
  /// `stream` as the caller wrote it; absent when it is missing or no boolean.
  std::optional<bool> stream_value = {};
  /// stream_options.include_usage is true: the caller wants the usage event.
  bool asks_usage = false;
  OutputBound output = {};
  /// `n`, 1 unless it is a positive integer.
  std::int64_t choices = 1;
  /// embeddings: how many vectors must come back; 0 when unknown.
  std::size_t inputs = 0;
  bool has_tools = false;
};

/// Checks all of `body`: one JSON object, valid UTF-8, at most 64 levels deep, nothing after it. A
/// name that Byway reads or writes may stand there once only, however it is spelled. Linear time,
/// no recursion, no allocation on success. Codes: request_invalid_json, request_invalid_utf8,
/// request_too_deep, request_param_out_of_range (n over 1,024).
Result<RequestScan> scan_request(std::string_view body, Operation operation);

}  // namespace byway::wire
