#include "registry/capability_fields.hpp"

#include <array>
#include <limits>
#include <utility>

#include "registry/fields.hpp"
#include "wire/json_write.hpp"
#include "wire/strict_reader.hpp"

namespace byway {
namespace {

using Record = CapabilityRecord;

struct Flag {
  std::string_view name;
  std::optional<bool> Record::*member;
};
constexpr std::array<Flag, 11> flags = {{
    {"chat", &Record::chat},
    {"completions", &Record::completions},
    {"embeddings", &Record::embeddings},
    {"stream", &Record::stream},
    {"usage_in_stream", &Record::usage_in_stream},
    {"tools", &Record::tools},
    {"tool_calls", &Record::tool_calls},
    {"json_schema", &Record::json_schema},
    {"json_schema_kept", &Record::json_schema_kept},
    {"logprobs", &Record::logprobs},
    {"echo_logprobs", &Record::echo_logprobs},
}};

struct Text {
  std::string_view name;
  std::string Record::*member;
};
constexpr std::array<Text, 6> texts = {{
    {"probed_at", &Record::probed_at},
    {"thorough_at", &Record::thorough_at},
    {"model", &Record::model},
    {"problem", &Record::problem},
    {"proposed_dialect", &Record::proposed_dialect},
    {"proposal_reason", &Record::proposal_reason},
}};

struct Count {
  std::string_view name;
  std::optional<std::int64_t> Record::*member;
};
constexpr std::array<Count, 2> counts = {{
    {"context_length", &Record::context_length},
    {"dimensions", &Record::dimensions},
}};

constexpr auto names = [] {
  std::array<std::string_view, flags.size()> all;
  for (std::size_t at = 0; at < all.size(); ++at) all[at] = flags[at].name;
  return all;
}();

template <class Rows>
auto row_of(const Rows& rows, std::string_view name) -> decltype(rows.data()) {
  for (const auto& row : rows) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace

std::span<const std::string_view> capability_names() noexcept {
  return names;
}

std::optional<bool> offers(const CapabilityRecord& record, std::string_view capability) noexcept {
  const Flag* flag = row_of(flags, capability);
  return flag == nullptr ? std::nullopt : record.*(flag->member);
}

CapabilityRecord merged(const CapabilityRecord& older, CapabilityRecord newer) {
  if (older.model != newer.model) return newer;
  for (const Flag& flag : flags) {
    if (!(newer.*(flag.member))) newer.*(flag.member) = older.*(flag.member);
  }
  for (const Count& count : counts) {
    if (!(newer.*(count.member))) newer.*(count.member) = older.*(count.member);
  }
  if (newer.thorough_at.empty()) newer.thorough_at = older.thorough_at;
  if (newer.rate_headers.empty()) newer.rate_headers = older.rate_headers;
  if (!newer.is_usable && newer.proposed_dialect.empty()) {
    newer.proposed_dialect = older.proposed_dialect;
    newer.proposal_reason = older.proposal_reason;
  }
  return newer;
}

namespace registry {
namespace {

/// Reads one member when it is a known one of the right kind.
void read_member(wire::StrictReader& reader, const std::string& name, Record& record) {
  if (const Text* text = row_of(texts, name)) {
    reader.read_text(name, record.*(text->member));
  } else if (const Count* count = row_of(counts, name)) {
    std::int64_t number = 0;
    reader.read_integer(name, 0, std::numeric_limits<std::int64_t>::max(), number);
    record.*(count->member) = number;
  } else if (name == "rate_headers") {
    reader.read_names(name, record.rate_headers);
  } else if (row_of(flags, name) == nullptr && name != "is_usable") {
    reader.skip_value();
  } else {
    if (reader.cursor().peek() != wire::JsonKind::boolean) {
      return reader.refuse(name, "must be true or false");
    }
    const bool value = reader.cursor().read_boolean();
    if (const Flag* flag = row_of(flags, name)) {
      record.*(flag->member) = value;
    } else {
      record.is_usable = value;
    }
  }
}

}  // namespace

std::string capabilities_to_json(const CapabilityRecord& record) {
  std::string json = record.is_usable ? R"({"is_usable":true)" : R"({"is_usable":false)";
  const auto key = [&](std::string_view name) { json.append(",\"").append(name).append("\":"); };
  for (const Text& text : texts) {
    if ((record.*(text.member)).empty()) continue;
    key(text.name);
    json += wire::json_quote(record.*(text.member));
  }
  for (const Flag& flag : flags) {
    if (!(record.*(flag.member))) continue;
    key(flag.name);
    json += *(record.*(flag.member)) ? "true" : "false";
  }
  for (const Count& count : counts) {
    if (!(record.*(count.member))) continue;
    key(count.name);
    wire::append_integer(json, *(record.*(count.member)));
  }
  key("rate_headers");
  json += '[';
  for (std::size_t at = 0; at < record.rate_headers.size(); ++at) {
    if (at != 0) json += ',';
    json += wire::json_quote(record.rate_headers[at]);
  }
  return json + "]}";
}

Result<CapabilityRecord> capabilities_from_json(std::string_view json) {
  wire::StrictReader reader(json);
  CapabilityRecord record;
  reader.each_member("capabilities",
                     [&](const std::string& name) { read_member(reader, name, record); });
  if (!reader.finish()) return field_invalid("capabilities", reader.fault());
  return record;
}

}  // namespace registry
}  // namespace byway
