#include "wire/json_splice.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory_resource>

#include "base/json_quote.hpp"
#include "wire/json_merge.hpp"
#include "wire/json_write.hpp"

namespace byway::wire {
namespace {

constexpr std::string_view usage_wish = R"({"include_usage":true})";

/// Enough for model, stream and usage: most edits take their parts from the stack.
constexpr std::size_t parts_usual = 12;
/// Enough for what is added when there is more to add than a model's name.
constexpr std::size_t ours_usual = 160;

class Editor {
 public:
  Editor(std::string_view body, const RequestScan& scan, const RequestEdit& edit)
      : body_(body), scan_(scan), edit_(edit), kept_end_(scan.members_begin) {
    parts_.reserve(parts_usual);
    if (asks_usage()) ours_.reserve(ours_usual);
    read_extra();
  }

  Result<Splice> run() {
    if (are_places_known()) return edit_places();
    keep(0, scan_.members_begin);
    JsonCursor cursor(body_);
    cursor.enter_object();
    for (JsonString name; cursor.next_member(name);) {
      const std::size_t begin = cursor.name_position();
      cursor.peek();
      const ByteSpan value{cursor.position(), skip(cursor, begin)};
      edit_member(name, begin, value);
      kept_end_ = value.end;
      if (!duplicate_.empty()) {
        return Error(ErrorCode::request_invalid_json,
                     "the body has \"" + std::string(duplicate_) + "\" twice: keep one of them");
      }
    }
    add_missing();
    keep(kept_end_, body_.size());
    return Splice(body_, ours_, parts_);
  }

 private:
  struct Extra {
    std::string name;
    std::string_view value;
  };

  /// Whether nothing is edited but what the scan has found: model, stream, and usage where there is
  /// none yet.
  bool are_places_known() const noexcept {
    const bool is_plain = extra_.empty() && edit_.drop.empty() && edit_.rename.empty() &&
                          edit_.set_default.empty() && !edit_.omit_model;
    const bool keeps_options =
        edit_.usage != UsagePolicy::strip && (!asks_usage() || scan_.asks_usage);
    return is_plain && scan_.members > 0 && (keeps_options || !scan_.stream_options.is_present());
  }

  /// The same as the walk over all members, without the walk.
  Splice edit_places() {
    const auto edit = [this](const Member& member) {
      if (!member.is_present()) return;
      keep(kept_end_, member.value.begin);
      if (&member == &scan_.stream) {
        add(*edit_.stream ? "true" : "false");
      } else {
        add_quoted(*edit_.model);
      }
      kept_end_ = member.value.end;
    };
    kept_end_ = 0;
    const bool is_same = !edit_.stream || edit_.stream == scan_.stream_value;
    const Member none;
    const Member& model = edit_.model ? scan_.model : none;
    const Member& stream = is_same ? none : scan_.stream;
    const bool is_model_first = model.whole.begin < stream.whole.begin;
    edit(is_model_first ? model : stream);
    edit(is_model_first ? stream : model);
    keep(kept_end_, scan_.members_end);
    kept_end_ = scan_.members_end;
    has_members_ = true;
    has_stream_options_ = scan_.stream_options.is_present();
    add_missing();
    keep(kept_end_, body_.size());
    return Splice(body_, ours_, parts_);
  }

  void read_extra() {
    if (edit_.extra_body.empty()) return;
    JsonCursor cursor(edit_.extra_body);
    cursor.enter_object();
    for (JsonString name; cursor.next_member(name);) {
      Extra& extra = extra_.emplace_back();
      name.append_to(extra.name);
      extra.value = cursor.skip();
    }
  }

  std::size_t skip(JsonCursor& cursor, std::size_t begin) const {
    if (scan_.longest.is_present() && begin == scan_.longest.whole.begin) {
      cursor.jump(scan_.longest.value.end);
    } else {
      cursor.skip();
    }
    return cursor.position();
  }

  /// Decides what becomes of one member of the caller's.
  void edit_member(const JsonString& name, std::size_t begin, ByteSpan value) {
    if (begin == scan_.model.whole.begin && scan_.model.is_present()) {
      return edit_model(begin, value);
    }
    if (begin == scan_.stream.whole.begin && scan_.stream.is_present()) {
      const bool is_same = !edit_.stream || edit_.stream == scan_.stream_value;
      return is_same ? keep_member(begin, value.end)
                     : replace_value(begin, value, *edit_.stream ? "true" : "false");
    }
    if (const std::string* dropped = find(edit_.drop, name)) return touch(*dropped);
    std::string_view new_name;
    for (const auto& [from, to] : edit_.rename) {
      if (!(name == from)) continue;
      touch(from);
      if (has_member(to)) return;
      new_name = to;
    }
    const JsonString meant = new_name.empty() ? name : JsonString{new_name, false};
    edit_value(meant, new_name, begin, value);
  }

  void edit_model(std::size_t begin, ByteSpan value) {
    if (edit_.omit_model) return;
    if (!edit_.model) return keep_member(begin, value.end);
    keep_member(begin, value.begin);
    add_quoted(*edit_.model);
  }

  void edit_value(const JsonString& name, std::string_view new_name, std::size_t begin,
                  ByteSpan value) {
    const Extra* extra = find_extra(name);
    std::string_view edited = extra == nullptr ? std::string_view() : extra->name;
    for (const auto& [wanted, text] : edit_.set_default) {
      if (name == wanted) edited = wanted;
    }
    if (!edited.empty()) touch(edited);
    const std::string_view old_text = value.of(body_);
    std::string new_text;
    if (extra != nullptr) {
      merge(new_text, old_text, extra->value);
    } else if (name == "stream_options") {
      if (edit_.usage == UsagePolicy::strip) return;
      has_stream_options_ = true;
      if (asks_usage() && !scan_.asks_usage) merge(new_text, old_text, usage_wish);
    }
    if (new_name.empty() && new_text.empty()) return keep_member(begin, value.end);
    if (new_name.empty()) return replace_value(begin, value, new_text);
    add_separator(begin);
    add_member(new_name, new_text.empty() ? old_text : std::string_view(new_text));
  }

  bool asks_usage() const noexcept {
    return edit_.usage == UsagePolicy::request && edit_.stream.value_or(false);
  }

  static void merge(std::string& out, std::string_view base, std::string_view over) {
    if (base.starts_with('{') && over.starts_with('{')) {
      append_merged(out, base, over);
    } else {
      out.append(over);
    }
  }

  void add_missing() {
    if (edit_.model && !edit_.omit_model && !scan_.model.is_present()) {
      begin_member("model");
      add_quoted(*edit_.model);
    }
    if (edit_.stream && !scan_.stream.is_present()) {
      append_member("stream", *edit_.stream ? "true" : "false");
    }
    for (const auto& [name, text] : edit_.set_default) {
      if (is_touched(name)) continue;
      touch(name);
      std::string value;
      const Extra* extra = find_extra(JsonString{name, false});
      merge(value, text, extra == nullptr ? std::string_view(text) : extra->value);
      append_member(name, value);
    }
    for (const Extra& extra : extra_) {
      if (!is_touched(extra.name)) append_member(extra.name, extra.value);
    }
    if (asks_usage() && !has_stream_options_ && find_extra({"stream_options", false}) == nullptr) {
      append_member("stream_options", usage_wish);
    }
  }

  static const std::string* find(std::span<const std::string> names, const JsonString& name) {
    for (const std::string& candidate : names) {
      if (name == candidate) return &candidate;
    }
    return nullptr;
  }

  const Extra* find_extra(const JsonString& name) const {
    for (const Extra& extra : extra_) {
      if (name == extra.name) return &extra;
    }
    return nullptr;
  }

  bool has_member(std::string_view wanted) const {
    JsonCursor cursor(body_);
    cursor.enter_object();
    for (JsonString name; cursor.next_member(name);) {
      if (name == wanted) return true;
      skip(cursor, cursor.name_position());
    }
    return false;
  }

  bool is_touched(std::string_view name) const {
    return std::find(touched_.begin(), touched_.end(), name) != touched_.end();
  }

  /// Notes that a name is edited; `name` must outlive the editor.
  void touch(std::string_view name) {
    if (is_touched(name)) duplicate_ = name;
    touched_.push_back(name);
  }

  void keep(std::size_t begin, std::size_t end) {
    if (begin == end) return;
    if (!parts_.empty() && !parts_.back().is_ours && parts_.back().span.end == begin) {
      parts_.back().span.end = end;
    } else {
      parts_.push_back({{begin, end}, false});
    }
  }

  void add(std::string_view text) {
    const std::size_t begin = ours_.size();
    ours_.append(text);
    note_added(begin);
  }

  void add_quoted(std::string_view text) {
    const std::size_t begin = ours_.size();
    base::append_json_quoted(ours_, text);
    note_added(begin);
  }

  void note_added(std::size_t begin) {
    if (!parts_.empty() && parts_.back().is_ours) {
      parts_.back().span.end = ours_.size();
    } else {
      parts_.push_back({{begin, ours_.size()}, true});
    }
  }

  /// What stands before a member in the caller's bytes: its comma and white space. The first that
  /// is kept needs no comma, unless it was the first there as well.
  void add_separator(std::size_t begin) {
    const bool was_first = kept_end_ == scan_.members_begin;
    if (has_members_ || was_first) keep(kept_end_, begin);
    has_members_ = true;
  }

  void keep_member(std::size_t begin, std::size_t end) {
    add_separator(begin);
    keep(begin, end);
  }

  void replace_value(std::size_t begin, ByteSpan value, std::string_view text) {
    keep_member(begin, value.begin);
    add(text);
  }

  void add_member(std::string_view name, std::string_view value) {
    add_quoted(name);
    add(":");
    add(value);
  }

  void begin_member(std::string_view name) {
    if (has_members_) add(",");
    has_members_ = true;
    add_quoted(name);
    add(":");
  }

  void append_member(std::string_view name, std::string_view value) {
    begin_member(name);
    add(value);
  }

  std::string_view body_;
  const RequestScan& scan_;
  const RequestEdit& edit_;
  std::vector<Extra> extra_;
  std::vector<std::string_view> touched_;
  std::array<std::byte, parts_usual * sizeof(Splice::Part)> parts_room_;
  std::pmr::monotonic_buffer_resource parts_memory_{parts_room_.data(), parts_room_.size()};
  std::pmr::vector<Splice::Part> parts_{&parts_memory_};
  std::string ours_;
  std::string_view duplicate_;
  std::size_t kept_end_;
  bool has_members_ = false;
  bool has_stream_options_ = false;
};

}  // namespace

Splice::Splice(std::string_view body, std::string_view ours, std::span<const Part> parts)
    : ours_(ours.begin(), ours.end()) {
  pieces_.reserve(parts.size());
  const std::string_view own(ours_.data(), ours_.size());
  for (const Part& part : parts) {
    pieces_.push_back(part.span.of(part.is_ours ? own : body));
    size_ += pieces_.back().size();
  }
}

std::string Splice::text() const {
  std::string joined;
  joined.reserve(size_);
  for (const std::string_view piece : pieces_) joined.append(piece);
  return joined;
}

Result<Splice> edit_request(std::string_view body, const RequestScan& scan,
                            const RequestEdit& edit) {
  return Editor(body, scan, edit).run();
}

}  // namespace byway::wire
