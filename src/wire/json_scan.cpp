#include "wire/json_scan.hpp"

#include <algorithm>
#include <string>

#include "wire/json_write.hpp"

namespace byway::wire {
namespace {

constexpr std::int64_t choices_max = 1024;

/// The names that Byway reads or writes; each may stand in a body once.
enum class Name : std::uint8_t {
  model,
  stream,
  stream_options,
  max_tokens,
  max_completion_tokens,
  max_output_tokens,
  n,
  messages,
  tools,
  input,
  other,
};

Name name_of(const JsonString& name) noexcept {
  if (!name.has_escapes) {
    // Most names are none of these, and the first letter says so.
    switch (name.raw.empty() ? '\0' : name.raw.front()) {
      case 'm':
      case 's':
      case 'n':
      case 't':
      case 'i': break;
      default: return Name::other;
    }
  }
  static constexpr std::string_view words[] = {"model",
                                               "stream",
                                               "stream_options",
                                               "max_tokens",
                                               "max_completion_tokens",
                                               "max_output_tokens",
                                               "n",
                                               "messages",
                                               "tools",
                                               "input"};
  for (std::size_t index = 0; index < std::size(words); ++index) {
    if (name == words[index]) return static_cast<Name>(index);
  }
  return Name::other;
}

class Scanner {
 public:
  Scanner(std::string_view body, Operation operation) noexcept
      : operation_(operation), cursor_(body, JsonCursor::Surrogates::strict) {}

  Result<RequestScan> scan() {
    if (cursor_.peek() != JsonKind::object) return not_an_object();
    cursor_.enter_object();
    scan_.members_begin = scan_.members_end = cursor_.position();
    for (JsonString name; cursor_.next_member(name);) {
      const std::size_t begin = cursor_.name_position();
      if (!read_member(name, begin)) break;
      scan_.members_end = cursor_.position();
      ++scan_.members;
    }
    if (duplicate_) return duplicate();
    if (!cursor_.finish()) return fault();
    if (too_many_choices_) {
      return refusal(ErrorCode::request_param_out_of_range, "n must be at most 1024", "n");
    }
    return scan_;
  }

 private:
  bool read_member(const JsonString& name, std::size_t begin) {
    const Name known = name_of(name);
    cursor_.peek();
    const std::size_t value_begin = cursor_.position();
    if (known == Name::other) {
      cursor_.skip();
      note_length({{begin, cursor_.position()}, {value_begin, cursor_.position()}});
      return true;
    }
    const auto bit = 1U << static_cast<unsigned>(known);
    if ((seen_ & bit) != 0) {
      duplicate_ = name;
      return false;
    }
    seen_ |= bit;
    read_value(known);
    const Member found{{begin, cursor_.position()}, {value_begin, cursor_.position()}};
    note_length(found);
    if (Member* member = place_of(known)) *member = found;
    return !duplicate_;
  }

  void note_length(const Member& member) noexcept {
    const ByteSpan& longest = scan_.longest.value;
    if (member.value.end - member.value.begin > longest.end - longest.begin) {
      scan_.longest = member;
    }
  }

  Member* place_of(Name name) noexcept {
    switch (name) {
      case Name::model: return &scan_.model;
      case Name::stream: return &scan_.stream;
      case Name::stream_options: return &scan_.stream_options;
      case Name::messages: return &scan_.messages;
      case Name::tools: return &scan_.tools;
      default: return nullptr;
    }
  }

  void read_value(Name name) {
    switch (name) {
      case Name::model: scan_.model_text = cursor_.string_or_skip(); return;
      case Name::stream:
        if (cursor_.peek() == JsonKind::boolean) {
          scan_.stream_value = cursor_.read_boolean();
        } else {
          cursor_.skip();
        }
        return;
      case Name::stream_options: return read_stream_options();
      case Name::max_tokens:
      case Name::max_completion_tokens:
        // A server heeds its operation's own name alone.
        return operation_ == Operation::responses ? skip_value() : read_output_bound();
      case Name::max_output_tokens:
        return operation_ == Operation::responses ? read_output_bound() : skip_value();
      case Name::n: return read_choices();
      case Name::tools: {
        const std::string_view tools = cursor_.skip();
        scan_.has_tools = tools.starts_with('[') && tools.find('{') != std::string_view::npos;
        return;
      }
      case Name::input: return read_input();
      default: cursor_.skip();
    }
  }

  void read_stream_options() {
    if (!cursor_.enter_object_or_skip()) return;
    bool has_usage = false;
    for (JsonString name; cursor_.next_member(name);) {
      if (!(name == "include_usage")) {
        cursor_.skip();
        continue;
      }
      if (has_usage) duplicate_ = name;
      has_usage = true;
      if (cursor_.peek() == JsonKind::boolean) {
        scan_.asks_usage = cursor_.read_boolean();
      } else {
        cursor_.skip();
      }
    }
  }

  void read_output_bound() {
    const auto tokens = cursor_.integer_or_skip();
    if (tokens && *tokens > 0) {
      scan_.output.tokens = std::max(scan_.output.tokens.value_or(0), *tokens);
    } else {
      scan_.output.is_odd = true;
    }
  }

  void skip_value() { cursor_.skip(); }

  void read_choices() {
    if (cursor_.peek() != JsonKind::number) {
      // Some servers read "5" as a number, so nothing is known of the output.
      scan_.output.is_odd = true;
      cursor_.skip();
      return;
    }
    const std::string_view number = cursor_.read_number();
    too_many_choices_ = double_of(number) > static_cast<double>(choices_max);
    scan_.choices = std::max<std::int64_t>(1, integer_of(number).value_or(1));
  }

  /// How many vectors an embeddings call asks for: an array of texts or of token arrays has one
  /// each, an array of tokens is one input (OpenAI API reference, embeddings, `input`).
  void read_input() {
    if (operation_ != Operation::embeddings) {
      cursor_.skip();
      return;
    }
    if (cursor_.peek() != JsonKind::array) {
      scan_.inputs = cursor_.peek() == JsonKind::string ? 1 : 0;
      cursor_.skip();
      return;
    }
    cursor_.enter_array();
    std::size_t elements = 0;
    bool is_tokens = false;
    while (cursor_.next_element()) {
      is_tokens = cursor_.peek() == JsonKind::number;
      cursor_.skip();
      ++elements;
    }
    scan_.inputs = is_tokens ? 1 : elements;
  }

  Error not_an_object() {
    cursor_.skip();
    if (cursor_.fault() == JsonFault::too_deep) return fault();
    return Error(ErrorCode::request_invalid_json,
                 "the body must be one JSON object, such as {\"model\":...}");
  }

  static Error refusal(ErrorCode code, std::string message, std::string param = {}) {
    ErrorFields fields;
    fields.code = code;
    fields.message = std::move(message);
    fields.param = std::move(param);
    return Error(std::move(fields));
  }

  Error duplicate() const {
    std::string name;
    duplicate_->append_to(name);
    return refusal(ErrorCode::request_invalid_json,
                   "the body has \"" + name + "\" twice: keep one of them", name);
  }

  Error fault() const {
    const std::string place = " at byte " + std::to_string(cursor_.fault_position());
    switch (cursor_.fault()) {
      case JsonFault::too_deep:
        return Error(ErrorCode::request_too_deep, "the body nests deeper than 64 levels" + place);
      case JsonFault::lone_surrogate:
        return Error(ErrorCode::request_invalid_json, "the body has half a surrogate pair" + place);
      default: return Error(ErrorCode::request_invalid_json, "the body is not valid JSON" + place);
    }
  }

  Operation operation_;
  JsonCursor cursor_;
  RequestScan scan_;
  std::optional<JsonString> duplicate_;
  unsigned seen_ = 0;
  bool too_many_choices_ = false;
};

}  // namespace

Result<RequestScan> scan_request(std::string_view body, Operation operation) {
  if (!is_utf8(body)) {
    return Error(ErrorCode::request_invalid_utf8,
                 "the body is not valid UTF-8: JSON text must be (RFC 8259 section 8.1)");
  }
  return Scanner(body, operation).scan();
}

}  // namespace byway::wire
