#include "wire/player/run_list.hpp"

#include "base/json_quote.hpp"

namespace byway::wire_player {
namespace {

/// Appends members and items with their commas.
class Json {
 public:
  explicit Json(std::string& out) : out_(out) {}

  void open(char bracket) {
    separate();
    out_ += bracket;
    is_first_ = true;
  }
  void close(char bracket) {
    out_ += bracket;
    is_first_ = false;
  }
  void name(std::string_view name) {
    separate();
    base::append_json_quoted(out_, name);
    out_ += ':';
    is_first_ = true;
  }
  void text(std::string_view text) {
    separate();
    base::append_json_quoted(out_, text);
  }
  void raw(std::string_view json) {
    separate();
    out_.append(json);
  }
  void member(std::string_view key, std::string_view value) {
    name(key);
    text(value);
  }
  void list(std::string_view key, const std::vector<std::string>& items, bool is_json = false) {
    name(key);
    open('[');
    for (const std::string& item : items) is_json ? raw(item) : text(item);
    close(']');
  }

 private:
  void separate() {
    if (!is_first_) out_ += ',';
    is_first_ = false;
  }

  std::string& out_;
  bool is_first_ = true;
};

void append_expected(Json& json, const Expected& expected) {
  json.list("records", expected.records, true);
  json.list("notes", expected.notes);
  json.list("lacks", expected.lacks);
  json.name("ranges");
  json.open('[');
  for (const RecordRange& range : expected.ranges) {
    json.open('[');
    json.text(range.pointer);
    json.raw(std::to_string(range.least));
    json.raw(std::to_string(range.most));
    json.close(']');
  }
  json.close(']');
  json.name("lengths");
  json.open('[');
  for (const auto& [pointer, most] : expected.lengths) {
    json.open('[');
    json.text(pointer);
    json.raw(std::to_string(most));
    json.close(']');
  }
  json.close(']');
}

}  // namespace

std::string run_list(const std::vector<Run>& runs) {
  std::string out;
  for (const Run& run : runs) {
    Json json(out);
    json.open('{');
    json.member("name", run.name);
    json.member("slug", run.slug());
    json.member("base", run.endpoint.base);
    json.member("dialect", run.endpoint.dialect);
    json.name("has_key");
    json.raw(run.endpoint.has_key ? "true" : "false");
    json.list("lines", run.endpoint.lines);
    json.name("options");
    json.open('{');
    for (const auto& [name, value] : run.call.options) json.member(name, value);
    json.close('}');
    json.member("model", run.call.model);
    json.member("body", body_of(run));
    json.name("is_library_only");
    json.raw(run.is_library_only ? "true" : "false");
    append_expected(json, run.expected);
    json.close('}');
    out += '\n';
  }
  return out;
}

}  // namespace byway::wire_player
