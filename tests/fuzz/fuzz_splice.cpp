// The scan accepts what simdjson accepts, and an edited body parses, says what was asked for and
// equals the caller's bytes everywhere else.
#include <simdjson.h>

#include <string>
#include <utility>
#include <vector>

#include "fuzz_target.hpp"
#include "wire/extra_body.hpp"
#include "wire/json_merge.hpp"
#include "wire/json_splice.hpp"

namespace {

using namespace byway;
using namespace byway::wire;
using byway::fuzz::require;

simdjson::error_code parse(std::string_view text) {
  static simdjson::dom::parser parser;
  simdjson::dom::element element;
  return parser.parse(text.data(), text.size()).get(element);
}

void check_scan(std::string_view body, const Result<RequestScan>& scan) {
  const simdjson::error_code error = parse(body);
  // simdjson takes any value at the top, has its own depth, and refuses numbers that no double
  // holds; Byway refuses names that come twice and an n that is too large.
  if (scan) {
    require(error == simdjson::SUCCESS || error == simdjson::NUMBER_ERROR);
    return;
  }
  if (error != simdjson::SUCCESS) return;
  const std::string& message = scan.error().message();
  const bool is_ours = message.find("twice") != std::string::npos ||
                       message.find("one JSON object") != std::string::npos ||
                       scan.error().code() == ErrorCode::request_param_out_of_range ||
                       scan.error().code() == ErrorCode::request_too_deep;
  require(is_ours);
}

/// Pieces that view the body come in its order and never overlap.
void check_order(std::string_view body, const Splice& splice) {
  const char* at = body.data();
  const char* end = body.data() + body.size();
  std::size_t size = 0;
  for (const std::string_view piece : splice.pieces()) {
    size += piece.size();
    if (piece.data() < body.data() || piece.data() >= end) continue;
    require(piece.data() >= at && piece.data() + piece.size() <= end);
    at = piece.data() + piece.size();
  }
  require(size == splice.size());
}

bool is_edited_name(const JsonString& name) {
  for (const std::string_view edited :
       {"model", "stream", "stream_options", "gone", "old", "new", "extra", "defaulted"}) {
    if (name == edited) return true;
  }
  return false;
}

/// Every member that no edit names stands in the result, byte for byte.
void check_kept(std::string_view body, std::string_view edited) {
  JsonCursor cursor(body);
  cursor.enter_object();
  std::size_t from = 0;
  for (JsonString name; cursor.next_member(name);) {
    const std::size_t begin = cursor.name_position();
    cursor.skip();
    if (is_edited_name(name)) continue;
    from = edited.find(body.substr(begin, cursor.position() - begin), from);
    require(from != std::string_view::npos);
  }
}

}  // namespace

BYWAY_FUZZ(splice) {
  byway::fuzz::Choices choices(input);
  const unsigned flags = choices.next();
  const unsigned more = choices.next();
  const std::string_view body = choices.rest();
  static_cast<void>(validate_extra_body(body));
  const auto scan = scan_request(body, (more & 8) != 0 ? Operation::embeddings : Operation::chat);
  check_scan(body, scan);
  if (!scan) return;
  const std::vector<std::string> drop = {"gone"};
  const std::vector<std::pair<std::string, std::string>> rename = {{"old", "new"}};
  const std::vector<std::pair<std::string, std::string>> defaults = {{"defaulted", "[1]"}};
  RequestEdit edit;
  if ((flags & 1) != 0) edit.model = "up\"stream\\\xFF";
  edit.omit_model = (flags & 2) != 0;
  if ((flags & 4) != 0) edit.stream = (flags & 8) != 0;
  edit.usage = static_cast<UsagePolicy>((flags >> 4) % 3);
  if ((flags & 64) != 0) edit.drop = drop;
  if ((flags & 128) != 0) edit.rename = rename;
  if ((more & 1) != 0) edit.set_default = defaults;
  if ((more & 2) != 0) edit.extra_body = R"({"extra":{"a":{"b":1}},"new":0})";
  const auto splice = edit_request(body, *scan, edit);
  if (!splice) return;
  const std::string edited = splice->text();
  check_order(body, *splice);
  const auto again = scan_request(edited, Operation::chat);
  require(again.has_value());
  check_kept(body, edited);
  if (edit.stream) require(again->stream_value == edit.stream);
  if (edit.omit_model) require(!again->model.is_present());
}
