#include "wire/error_words.hpp"

#include <algorithm>

#include "wire/ascii.hpp"
#include "wire/json_cursor.hpp"
#include "wire/json_write.hpp"
#include "wire/sse_parser.hpp"

namespace byway::wire {
namespace {

constexpr std::size_t html_words_max = 64;
/// Errors nest a few levels at most; deeper ones are read as far as this.
constexpr int levels_max = 6;
/// So much of a message is looked at; the body may be megabytes.
constexpr std::size_t message_max = std::size_t{16} << 10;

std::string meaning(const JsonString& string) {
  std::string text;
  string.append_to(text);
  return text;
}

int status_in(std::string_view number) noexcept {
  const auto status = integer_of(number);
  return status && *status >= 400 && *status <= 599 ? static_cast<int>(*status) : 0;
}

bool is_decimal(std::string_view text) noexcept {
  return text.size() == 3 && is_ascii_digit(text[0]) && is_ascii_digit(text[1]) &&
         is_ascii_digit(text[2]);
}

class Reader {
 public:
  explicit Reader(std::string_view text) : cursor_(text) {}

  ErrorWords read() {
    if (cursor_.peek() == JsonKind::array) {
      read_array();
    } else if (cursor_.peek() == JsonKind::object) {
      read_top();
    } else if (cursor_.peek() == JsonKind::string) {
      // An error in a string in a string (continuedev/continue#12735).
      set(words_.message, cursor_.read_string());
    } else {
      return {};
    }
    words_.is_json = cursor_.finish();
    if (!words_.is_json) return {};
    words_.message.resize(utf8_prefix(words_.message, message_max).size());
    return words_;
  }

 private:
  /// S8: Google wraps its errors in an array.
  void read_array() {
    cursor_.enter_array();
    bool is_first = true;
    while (cursor_.next_element()) {
      if (is_first && cursor_.peek() == JsonKind::object) {
        read_top();
      } else {
        cursor_.skip();
      }
      is_first = false;
    }
  }

  void read_top() {
    cursor_.enter_object();
    for (JsonString name; cursor_.next_member(name);) {
      if (name == "error") {
        read_error_member();
      } else if (name == "object") {
        if (const auto object = cursor_.string_or_skip(); object && *object == "error") {
          words_.is_error = words_.is_outright = true;
        }
      } else if (name == "detail" || name == "fault" || name == "message" || name == "error_code") {
        words_.is_error = words_.is_error || cursor_.peek() != JsonKind::null;
        read_member(name, 1);
      } else {
        read_member(name, 1);
      }
    }
  }

  /// S1, S2, S8, S10, S11. The error's own words win over those beside it.
  void read_error_member() {
    const JsonKind kind = cursor_.peek();
    if (kind == JsonKind::null) return cursor_.read_null();
    if (kind == JsonKind::boolean) {
      if (cursor_.read_boolean()) words_.is_error = words_.is_outright = true;
      return;
    }
    const ErrorWords beside = words_;
    words_ = {};
    read_value(0);
    words_.is_moderation = words_.is_moderation || beside.is_moderation;
    const bool is_empty_text = kind == JsonKind::string && words_.message.empty();
    words_.is_outright = beside.is_outright || !is_empty_text;
    words_.is_error = beside.is_error || words_.is_outright;
    if (words_.message.empty()) words_.message = beside.message;
    if (words_.code.empty()) words_.code = beside.code;
    if (words_.type.empty()) words_.type = beside.type;
    if (words_.status == 0) words_.status = beside.status;
  }

  /// A message in any form: a text, an object that holds one, a list of them (S5).
  void read_value(int level) {
    switch (cursor_.peek()) {
      case JsonKind::string: set(words_.message, cursor_.read_string()); return;
      case JsonKind::object:
        if (level > levels_max) {
          cursor_.skip();
          return;
        }
        cursor_.enter_object();
        for (JsonString name; cursor_.next_member(name);) read_member(name, level + 1);
        return;
      case JsonKind::array:
        cursor_.enter_array();
        while (cursor_.next_element()) read_value(level + 1);
        return;
      default: cursor_.skip();
    }
  }

  void read_member(const JsonString& name, int level) {
    if (name == "message" || name == "msg" || name == "faultstring" || name == "detail" ||
        name == "error" || name == "fault") {
      read_value(level);
    } else if (name == "code" || name == "error_code" || name == "errorcode") {
      read_code();
    } else if (name == "type" || name == "error_type") {
      if (const auto text = cursor_.string_or_skip()) set(words_.type, *text);
    } else if (name == "status" || name == "http_status_code" || name == "status_code") {
      read_status();
    } else if (name == "metadata" || name == "innererror") {
      read_metadata();
    } else if (name == "loc") {
      read_location();
    } else {
      cursor_.skip();
    }
  }

  /// Text, a number, or a number spelled as text (LiteLLM).
  void read_code() {
    if (cursor_.peek() == JsonKind::number) {
      const std::string_view number = cursor_.read_number();
      if (words_.status == 0) words_.status = status_in(number);
      if (words_.code.empty()) words_.code = number;
      return;
    }
    const auto text = cursor_.string_or_skip();
    if (!text) return;
    set(words_.code, *text);
    if (words_.status == 0 && is_decimal(text->raw)) words_.status = status_in(text->raw);
  }

  /// A number, or Google's word for one ("RESOURCE_EXHAUSTED").
  void read_status() {
    if (cursor_.peek() == JsonKind::number) {
      const int status = status_in(cursor_.read_number());
      if (status != 0 && words_.status == 0) words_.status = status;
    } else if (const auto text = cursor_.string_or_skip()) {
      set(words_.type, *text);
    }
  }

  /// S10: OpenRouter's real cause. S11: Azure's inner error.
  void read_metadata() {
    if (!cursor_.enter_object_or_skip()) return;
    std::string provider;
    std::string raw;
    for (JsonString name; cursor_.next_member(name);) {
      if (name == "provider_name") {
        if (const auto text = cursor_.string_or_skip()) set(provider, *text);
      } else if (name == "raw") {
        if (cursor_.peek() == JsonKind::string) {
          raw = meaning(cursor_.read_string());
        } else {
          raw = cursor_.skip();
        }
      } else if (name == "code") {
        if (const auto text = cursor_.string_or_skip()) set(words_.type, *text);
      } else {
        if (name == "reasons" || name == "flagged_input") words_.is_moderation = true;
        cursor_.skip();
      }
    }
    if (!raw.empty()) {
      cause_ = " (" + (provider.empty() ? raw : provider + ": " + raw) + ")";
      words_.message += cause_;
    }
  }

  /// S5: where in the request FastAPI found fault: ["body","messages",0].
  void read_location() {
    if (!cursor_.enter_array_or_skip()) return;
    std::string place;
    while (cursor_.next_element()) {
      std::string part;
      if (cursor_.peek() == JsonKind::string) {
        part = meaning(cursor_.read_string());
      } else {
        part = cursor_.skip();
      }
      if (part != "body") place += (place.empty() ? "" : ".") + part;
    }
    if (words_.message.empty() && !place.empty()) location_ = place + ": ";
  }

  /// The first to tell wins.
  void set(std::string& target, const JsonString& text) {
    const bool is_message = &target == &words_.message;
    if (is_message && !cause_.empty() && target == cause_) {
      target = meaning(text) + cause_;
    } else if (target.empty()) {
      target = (is_message ? location_ : std::string()) + meaning(text);
    }
  }

  JsonCursor cursor_;
  ErrorWords words_;
  std::string location_;
  std::string cause_;
};

/// The data of the first event of a body that is framed as events though its status is an error's
/// (I16).
std::string framed_data(std::string_view body) {
  std::string data;
  SseParser parser;
  const auto take = [&](const SseEvent& event) {
    data = event.data;
    return false;
  };
  parser.feed(body, take);
  if (data.empty()) parser.finish(take);
  return data;
}

/// Appends the text of HTML from `at` on, tags left out.
std::string html_text(std::string_view html) {
  std::string text;
  while (!html.empty() && text.size() < 4 * html_words_max) {
    const std::size_t tag = html.find('<');
    text.append(html.substr(0, tag));
    if (tag == std::string_view::npos) break;
    html.remove_prefix(tag);
    for (const std::string_view silent : {"style", "script"}) {
      if (!begins_with_lower(html.substr(1), silent)) continue;
      const std::size_t end = find_lower(html, std::string("</").append(silent));
      html.remove_prefix(end == std::string_view::npos ? html.size() : end);
    }
    const std::size_t end = html.find('>');
    html.remove_prefix(end == std::string_view::npos ? html.size() : end + 1);
    text += ' ';
  }
  return text;
}

std::string html_hint(std::string_view html) {
  const std::size_t title = find_lower(html, "<title");
  if (title != std::string_view::npos) {
    const std::string_view rest = html.substr(title);
    return html_text(rest.substr(0, find_lower(rest, "</title")));
  }
  return html_text(html);
}

/// Where a character that is drawn as nothing or moves the cursor begins: C0, DEL, C1 (C2 80-9F).
std::size_t control_length(std::string_view text, std::size_t at) noexcept {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x20 || byte == 0x7F) return 1;
  const bool is_c1 =
      byte == 0xC2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xA0;
  return is_c1 ? 2 : 0;
}

}  // namespace

bool looks_like_html(std::string_view text) noexcept {
  text = trimmed(text.substr(0, 512));
  return text.starts_with('<') &&
         (contains_lower(text, "<html") || begins_with_lower(text, "<!doctype") ||
          contains_lower(text, "<head") || contains_lower(text, "<body"));
}

std::string scrubbed(std::string_view text, std::size_t bytes_max) {
  std::string hint;
  if (looks_like_html(text)) {
    hint = html_hint(text);
    text = hint;
    bytes_max = std::min(bytes_max, html_words_max);
  }
  // Repairing and collapsing never needs more of the text than this.
  std::string valid;
  append_repaired(valid, text.substr(0, 8 * bytes_max));
  std::string line;
  for (std::size_t at = 0; at < valid.size() && line.size() <= bytes_max;) {
    const std::size_t control = control_length(valid, at);
    if (control == 0 && valid[at] != ' ') {
      line += valid[at++];
      continue;
    }
    at += std::max<std::size_t>(control, 1);
    if (!line.empty() && line.back() != ' ') line += ' ';
  }
  line.resize(utf8_prefix(line, bytes_max).size());
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

ErrorWords read_error(std::string_view body) {
  std::string repaired;
  if (!is_utf8(body)) {
    append_repaired(repaired, body);
    body = repaired;
  }
  body = trimmed(body);
  std::string framed;
  for (const std::string_view field : {"data:", "error:", "event:", ":"}) {
    if (!body.starts_with(field)) continue;
    framed = framed_data(body);
    if (!framed.empty()) body = framed;
    break;
  }
  if (body.starts_with('{') || body.starts_with('[') || body.starts_with('"')) {
    ErrorWords words = Reader(body).read();
    if (words.is_json) return words;
  }
  ErrorWords words;
  words.message = utf8_prefix(body, message_max);
  return words;
}

}  // namespace byway::wire
