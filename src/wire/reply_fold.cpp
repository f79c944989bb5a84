#include "wire/reply_fold.hpp"

#include <algorithm>
#include <utility>

namespace byway::wire {
namespace {

/// How far back a tool call is looked for; servers that name an older one do not exist, and a
/// hostile stream must not cost a search of all.
constexpr std::size_t slots_searched = 64;

bool has_same_text(const JsonString& string, const std::string& text) {
  return string == std::string_view(text);
}

}  // namespace

void ReplyFold::begin(std::size_t bytes) {
  scratch_.clear();
  // What a string means is never longer than how it is written, but for a half of an earlier
  // event's that is put before it; the names and quotes around it are longer than that.
  scratch_bytes_max_ = 2 * bytes;
  pieces_.clear();
}

std::string& ReplyFold::scratch() {
  if (scratch_.capacity() < scratch_bytes_max_) scratch_.reserve(scratch_bytes_max_);
  return scratch_;
}

std::string_view ReplyFold::view(const JsonString& string) {
  return string.has_escapes ? string.text(scratch()) : string.raw;
}

std::string_view ReplyFold::joined_view(const JsonString& string, Half& half) {
  const std::string_view last = string.half_at_end();
  if (half.empty() && last.empty()) return view(string);
  half.append(string.raw.substr(0, string.raw.size() - last.size()));
  const std::string_view whole = view({half, true});
  half = last;
  return whole;
}

void ReplyFold::finish_half(const Half& half, std::string& text) {
  if (half.empty()) return;
  JsonString{half, true}.append_to(text);
  note("invalid_utf8");
}

std::string_view ReplyFold::view_of_end(const std::string& text, std::size_t begin) {
  const std::size_t place = scratch_.size();
  scratch().append(text, begin);
  return std::string_view(scratch_).substr(place);
}

void ReplyFold::note(std::string_view word) {
  auto& notes = reply_.notes;
  if (std::find(notes.begin(), notes.end(), word) == notes.end()) notes.emplace_back(word);
}

std::size_t ReplyFold::place_of(int index) {
  const auto at = static_cast<std::size_t>(index);
  if (at >= places_.size()) places_.resize(at + 1);
  if (places_[at] == 0) {
    reply_.choices.emplace_back().index = index;
    slots_.emplace_back();
    halves_.emplace_back();
    places_[at] = reply_.choices.size();
  }
  return places_[at] - 1;
}

Choice& ReplyFold::choice(int index) {
  return reply_.choices[place_of(index)];
}

bool ReplyFold::are_choices_finished() const noexcept {
  return has_choices() &&
         std::all_of(reply_.choices.begin(), reply_.choices.end(),
                     [](const Choice& choice) { return !choice.finish_raw.empty(); });
}

void ReplyFold::take_id(const JsonString& id) {
  if (reply_.id.empty()) {
    id.append_to(reply_.id);
  }
}

void ReplyFold::take_model(const JsonString& model) {
  if (model.raw.empty() || has_same_text(model, reply_.model_served)) return;
  if (reply_.model_served.empty()) {
    model.append_to(reply_.model_served);
  } else {
    // A relay that falls back in mid-stream changes the model (litellm#19077).
    note("model_changed");
  }
}

void ReplyFold::take_usage(const UsageReading& reading) {
  if (reading.is_inconsistent) note("usage_inconsistent");
  if (!reading.is_counted) return;
  reply_.usage = reading.usage;
  reply_.has_usage = true;
}

void ReplyFold::take_head(const Chunk& chunk) {
  take_id(chunk.id);
  take_model(chunk.model);
  if (chunk.has_usage) take_usage(chunk.usage);
}

void ReplyFold::finish_choice(int index, std::string_view raw) {
  Choice& target = choice(index);
  if (raw.empty() || !target.finish_raw.empty()) return;
  target.finish_raw = raw;
  target.finish = finish_word(raw);
}

Added ReplyFold::take_choice(const ChoiceDelta& delta, const Chunk& chunk) {
  Added added;
  added.choice = delta.index;
  const std::size_t place = place_of(delta.index);
  Choice& target = reply_.choices[place];
  Halves& halves = halves_[place];
  const std::size_t text_begin = target.text.size();
  const std::size_t reasoning_begin = target.reasoning.size();

  if (!delta.content_parts.empty()) {
    append_parts(target.text, delta.content_parts);
    added.text = view_of_end(target.text, text_begin);
  } else if (!delta.content.raw.empty()) {
    added.text = joined_view(delta.content, halves.text);
    target.text.append(added.text);
  } else if (!delta.refusal.raw.empty()) {
    note("refusal");
    added.text = view(delta.refusal);
    target.text.append(added.text);
  }

  // vLLM renamed `reasoning_content` to `reasoning`; some servers send both, or details beside.
  const JsonString& reasoning =
      delta.reasoning.raw.empty() ? delta.reasoning_content : delta.reasoning;
  if (!reasoning.raw.empty()) {
    added.reasoning = joined_view(reasoning, halves.reasoning);
    target.reasoning.append(added.reasoning);
  } else if (!delta.reasoning_details.empty()) {
    append_parts(target.reasoning, delta.reasoning_details);
    added.reasoning = view_of_end(target.reasoning, reasoning_begin);
  }

  added.pieces_begin = pieces_.size();
  for (std::size_t tool = delta.tools_begin; tool < delta.tools_end; ++tool) {
    take_tool(delta.index, chunk.tools[tool]);
  }
  added.pieces_end = pieces_.size();
  if (!delta.finish.raw.empty()) finish_choice(delta.index, view(delta.finish));
  return added;
}

std::string_view ReplyFold::take_text(const JsonString& text) {
  const std::size_t place = place_of(0);
  const std::string_view added = joined_view(text, halves_[place].text);
  reply_.choices[place].text.append(added);
  return added;
}

std::string_view ReplyFold::take_reasoning(const JsonString& text) {
  const std::size_t place = place_of(0);
  const std::string_view added = joined_view(text, halves_[place].reasoning);
  reply_.choices[place].reasoning.append(added);
  return added;
}

bool ReplyFold::has_arguments(int index, std::optional<std::int64_t> server_index) {
  const std::size_t place = place_of(index);
  ToolDelta delta;
  delta.index = server_index;
  const std::size_t slot = slot_of(delta, slots_[place], reply_.choices[place]);
  return slot < slots_[place].size() && !reply_.choices[place].tools[slot].arguments.empty();
}

std::size_t ReplyFold::slot_of(const ToolDelta& delta, const Slots& slots, const Choice& target) {
  const std::size_t count = slots.size();
  const bool has_id = !delta.id.raw.empty();
  const bool has_name = !delta.name.raw.empty();
  const std::size_t oldest = count > slots_searched ? count - slots_searched : 0;
  std::size_t found = count;
  for (std::size_t slot = count; slot > oldest && found == count; --slot) {
    const ToolCall& tool = target.tools[slot - 1];
    if (delta.index) {
      if (slots[slot - 1].index == delta.index) found = slot - 1;
    } else if (has_id) {
      if (has_same_text(delta.id, tool.id)) found = slot - 1;
    } else {
      found = slot - 1;
    }
  }
  if (found == count) {
    // An id alone, without index and name, goes on with the last call: some servers make a new id
    // for each piece.
    const bool goes_on = !delta.index && has_id && !has_name && count > 0;
    return goes_on ? count - 1 : count;
  }
  const ToolCall& tool = target.tools[found];
  const bool is_other_id = has_id && !tool.id.empty() && !has_same_text(delta.id, tool.id);
  if (is_other_id && has_name) return count;
  // Servers that never send ids still name each call, and name none anew while it is written.
  const bool is_other_name = has_name && !has_same_text(delta.name, tool.name);
  return is_other_name && !has_id && !tool.arguments.empty() ? count : found;
}

void ReplyFold::take_tool(int index, const ToolDelta& delta) {
  const bool is_empty = delta.id.raw.empty() && delta.name.raw.empty() &&
                        delta.arguments.raw.empty() && delta.arguments_json.empty();
  if (is_empty) return;
  const std::size_t place = place_of(index);
  Choice& target = reply_.choices[place];
  const std::size_t slot = slot_of(delta, slots_[place], target);
  if (slot == slots_[place].size()) {
    slots_[place].push_back({delta.index, {}});
    target.tools.emplace_back();
  }
  ToolCall& tool = target.tools[slot];
  ToolPiece piece;
  piece.slot = static_cast<int>(slot);
  if (tool.id.empty() && !delta.id.raw.empty()) {
    piece.id = view(delta.id);
    tool.id = piece.id;
  }
  if (!delta.name.raw.empty() && !has_same_text(delta.name, tool.name)) {
    // TGI sends names in fragments; others repeat what they have so far.
    const std::string_view name = view(delta.name);
    piece.name = name.starts_with(tool.name) ? name.substr(tool.name.size()) : name;
    tool.name.append(piece.name);
  }
  piece.arguments = delta.arguments_json.empty()
                        ? joined_view(delta.arguments, slots_[place][slot].arguments)
                        : delta.arguments_json;
  tool.arguments.append(piece.arguments);
  pieces_.push_back(piece);
}

Reply ReplyFold::take() {
  for (std::size_t place = 0; place < reply_.choices.size(); ++place) {
    Choice& target = reply_.choices[place];
    finish_half(halves_[place].text, target.text);
    finish_half(halves_[place].reasoning, target.reasoning);
    for (std::size_t slot = 0; slot < slots_[place].size(); ++slot) {
      finish_half(slots_[place][slot].arguments, target.tools[slot].arguments);
    }
  }
  std::stable_sort(
      reply_.choices.begin(), reply_.choices.end(),
      [](const Choice& left, const Choice& right) { return left.index < right.index; });
  for (Choice& target : reply_.choices) {
    for (std::size_t slot = 0; slot < target.tools.size(); ++slot) {
      ToolCall& tool = target.tools[slot];
      if (!tool.id.empty()) continue;
      tool.id = "call_" + std::to_string(target.index) + "_" + std::to_string(slot);
      note("tool_id_made");
    }
    if (!target.tools.empty() && target.finish == "stop") target.finish = "tool_calls";
  }
  slots_.clear();
  halves_.clear();
  places_.clear();
  return std::exchange(reply_, Reply());
}

}  // namespace byway::wire
