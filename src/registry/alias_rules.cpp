#include "registry/alias_rules.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "registry/field_list.hpp"
#include "registry/field_members.hpp"
#include "registry/settings.hpp"
#include "wire/json_write.hpp"
#include "wire/model_id.hpp"

namespace byway::registry {
namespace {

constexpr std::size_t name_bytes_max = 64;
constexpr std::size_t models_max = 64;
constexpr std::int64_t weight_max = 1'000'000;

bool is_alphanumeric(char byte) noexcept {
  return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

Result<void> check_models(const std::vector<AliasModel>& models) {
  if (models.empty()) return field_invalid("models", "an alias needs a model");
  if (models.size() > models_max) return field_invalid("models", "has more than 64 models");
  std::set<std::string_view> seen;
  for (const AliasModel& candidate : models) {
    const std::string shown = "\"" + std::string(wire::utf8_prefix(candidate.model, 64)) + "\"";
    if (candidate.model.size() > alias_model_bytes_max || !wire::is_utf8(candidate.model) ||
        !wire::parse_model_id(candidate.model)) {
      return field_invalid("models", shown + " is not byo:<slug>/<model>");
    }
    if (!seen.insert(candidate.model).second) {
      return field_invalid("models", shown + " is given twice");
    }
    if (candidate.weight.has_value() != models.front().weight.has_value()) {
      return field_invalid("models", "give every model a weight, or none");
    }
    if (!candidate.weight && candidate.model.find('=') != std::string::npos) {
      return field_invalid("models", shown + " has a '=', so it needs a weight: ...=1");
    }
    if (candidate.weight && (*candidate.weight < 1 || *candidate.weight > weight_max)) {
      return field_invalid("models", "a weight is 1 to 1000000");
    }
  }
  return {};
}

/// The two lists, as they are kept.
struct Kept {
  std::vector<std::string> models = {};
  std::vector<std::string> require = {};
};
constexpr FieldOf<Kept> kept_fields[] = {list_field<&Kept::models>("models"),
                                         list_field<&Kept::require>("require")};

}  // namespace

bool is_alias_name(std::string_view text) noexcept {
  if (text.empty() || text.size() > name_bytes_max || !is_alphanumeric(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [](char byte) {
    return is_alphanumeric(byte) || byte == '.' || byte == '_' || byte == '-';
  });
}

Result<void> check_alias(const Alias& alias) {
  if (!is_alias_name(alias.name)) {
    return field_invalid("name",
                         "must be 1 to 64 characters of a-z, 0-9, '.', '_' and '-', a letter or "
                         "digit first");
  }
  if (!is_org(alias.org)) {
    return field_invalid("org", "must be 1 to 64 characters of a-z, 0-9, '.', '_' and '-'");
  }
  if (Result<void> good = check_models(alias.models); !good) return good;
  if (alias.require.size() > models_max) return field_invalid("require", "has more than 64 tags");
  for (const std::string& tag : alias.require) {
    const bool has_control = std::any_of(tag.begin(), tag.end(), [](char byte) {
      return static_cast<unsigned char>(byte) <= 0x20 || byte == 0x7f;
    });
    if (tag.empty() || tag.size() > name_bytes_max || has_control || !wire::is_utf8(tag)) {
      return field_invalid("require", "a tag is a word of 1 to 64 bytes");
    }
  }
  return {};
}

Result<AliasModel> alias_model_from_text(std::string_view text) {
  const std::size_t at = text.rfind('=');
  if (at == std::string_view::npos) return AliasModel{std::string(text), {}};
  const std::string_view digits = text.substr(at + 1);
  std::int64_t weight = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), weight);
  const bool is_number = fault == std::errc() && end == digits.data() + digits.size();
  if (!is_number) {
    return field_invalid("models", "a weight is a whole number: byo:<slug>/<model>=WEIGHT");
  }
  return AliasModel{std::string(text.substr(0, at)), weight};
}

std::string to_text(const AliasModel& model) {
  if (model.weight) return model.model + "=" + std::to_string(*model.weight);
  return model.model;
}

std::string to_json(const Alias& alias) {
  Kept kept;
  for (const AliasModel& model : alias.models) kept.models.push_back(to_text(model));
  kept.require = alias.require;
  return json_of_fields(std::span<const FieldOf<Kept>>(kept_fields), kept);
}

Result<void> read_alias_json(Alias& alias, std::string_view json) {
  auto kept = fields_from_json(std::span<const FieldOf<Kept>>(kept_fields), json);
  if (!kept) return kept.error();
  alias.models.clear();
  for (const std::string& text : kept->models) {
    auto model = alias_model_from_text(text);
    if (!model) return model.error();
    alias.models.push_back(*std::move(model));
  }
  alias.require = std::move(kept->require);
  return {};
}

}  // namespace byway::registry
