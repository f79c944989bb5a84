#include "wire/dialect.hpp"

#include <map>

#include "wire/dialect_reader.hpp"
#include "wire/dialect_texts.hpp"
#include "wire/json_cursor.hpp"
#include "wire/json_merge.hpp"
#include "wire/json_write.hpp"

namespace byway::wire {
namespace {

constexpr std::array<std::string_view, capability_count> capability_names = {
    "chat",   "completions", "embeddings",      "responses",   "rerank",
    "models", "tools",       "tools_in_stream", "json_schema", "logprobs",
    "n_gt_1", "base64",      "dimensions",      "token_input", "stream"};

/// A preset may extend another, and that one more; no chain of ours is longer.
constexpr int extends_max = 8;

/// What an endpoint's own dialect changes where it does not say.
constexpr std::string_view usual_preset = "generic";

Error refusal(const std::string& why) {
  return Error(ErrorCode::registry_field_invalid, "dialect: " + why);
}

std::string_view text_of(std::string_view name) noexcept {
  for (const DialectText& text : dialect_texts()) {
    if (text.name == name) return text.json;
  }
  return {};
}

/// Checks that `json` is an object without a name twice.
Result<void> check_json(std::string_view json) {
  if (!is_utf8(json)) return refusal("is not valid UTF-8");
  JsonCursor cursor(json, JsonCursor::Surrogates::strict);
  if (cursor.peek() != JsonKind::object) return refusal("must be a JSON object");
  cursor.skip();
  if (!cursor.finish()) {
    return refusal("is not valid JSON at byte " + std::to_string(cursor.fault_position()));
  }
  if (const auto twice = name_given_twice(json)) return refusal("\"" + *twice + "\" twice");
  return {};
}

/// `json` with what it extends merged in below it.
Result<std::string> resolved(std::string_view json, std::string_view base, int depth) {
  std::string extended(base);
  const std::string_view told = member_of(json, "extends");
  if (!told.empty()) {
    const auto name = JsonCursor(told).string_or_skip();
    if (!name) return refusal("\"extends\" must be a preset's name");
    extended.clear();
    name->append_to(extended);
  }
  if (extended.empty()) return std::string(json);
  const std::string_view below = text_of(extended);
  if (below.empty() || depth == extends_max) return refusal("no preset \"" + extended + "\"");
  Result<std::string> lower = resolved(below, {}, depth + 1);
  if (!lower) return lower;
  std::string merged;
  append_merged(merged, *lower, json);
  return merged;
}

using Presets = std::map<std::string_view, Dialect>;

const Presets& presets() {
  static const Presets all = [] {
    Presets made;
    for (const DialectText& text : dialect_texts()) {
      // A test reads every one, so none fails here.
      if (Result<Dialect> dialect = parse_dialect(text.json)) {
        dialect->name = text.name;
        made.emplace(text.name, *std::move(dialect));
      }
    }
    return made;
  }();
  return all;
}

/// The key that an endpoint's own dialect changes and that nothing follows yet; empty for none.
std::string_view unused_change(const Dialect& own, const Dialect& below) noexcept {
  if (own.transport.connections_max != below.transport.connections_max)
    return "transport.max_conns";
  if (own.transport.http != below.transport.http) return "transport.http";
  return {};
}

}  // namespace

bool Dialect::offers(Operation operation) const noexcept {
  const auto index = static_cast<std::size_t>(operation);
  // The first capabilities are the operations, in their order.
  return paths[index].has_value() && offers(static_cast<Capability>(index));
}

bool Dialect::offers(Capability capability) const noexcept {
  return !knows_caps || caps.test(static_cast<std::size_t>(capability));
}

std::string_view name_of(Capability capability) noexcept {
  const auto index = static_cast<std::size_t>(capability);
  return index < capability_count ? capability_names[index] : std::string_view();
}

Result<Dialect> parse_dialect(std::string_view json, std::string_view base) {
  if (auto checked = check_json(json); !checked) return checked.error();
  Result<std::string> text = resolved(json, base, 0);
  if (!text) return text.error();
  return read_dialect(*text);
}

std::string preset_of_setting(std::string_view setting) {
  if (!setting.starts_with('{')) return std::string(setting);
  std::string name(usual_preset);
  const std::string_view told = member_of(setting, "extends");
  if (told.empty()) return name;
  name.clear();
  if (const auto text = JsonCursor(told).string_or_skip()) text->append_to(name);
  return name;
}

Result<std::shared_ptr<const Dialect>> dialect_of_setting(std::string_view setting) {
  if (!setting.starts_with('{')) {
    const Dialect* found = preset(setting);
    if (found == nullptr) return refusal("there is no dialect of that name");
    // Presets live as long as the process.
    return std::shared_ptr<const Dialect>(std::shared_ptr<const Dialect>(), found);
  }
  Result<Dialect> dialect = parse_dialect(setting, usual_preset);
  if (!dialect) return dialect.error();
  const std::string below = preset_of_setting(setting);
  if (const auto unused = unused_change(*dialect, *preset(below)); !unused.empty()) {
    return refusal("\"" + std::string(unused) +
                   "\" has no effect in this version, and what is not enforced must not be set; "
                   "leave it out");
  }
  dialect->name = below + " (changed)";
  return std::make_shared<const Dialect>(*std::move(dialect));
}

const Dialect* preset(std::string_view name) {
  const auto found = presets().find(name);
  return found == presets().end() ? nullptr : &found->second;
}

std::span<const std::string_view> preset_names() noexcept {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const DialectText& text : dialect_texts()) all.push_back(text.name);
    return all;
  }();
  return names;
}

}  // namespace byway::wire
