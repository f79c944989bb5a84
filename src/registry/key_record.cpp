#include "registry/key_record.hpp"

#include <algorithm>
#include <utility>

#include "base/time_text.hpp"
#include "registry/fields.hpp"
#include "registry/key_settings.hpp"

namespace byway::registry {
namespace {

constexpr std::string_view model_prefix = "byo:";
constexpr std::string_view all_of_slug = "/*";

bool holds(const std::vector<std::string>& sorted, std::string_view wanted) noexcept {
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), wanted);
  return at != sorted.end() && *at == wanted;
}

}  // namespace

KeyAllowlist::KeyAllowlist(const std::optional<std::vector<std::string>>& items)
    : allows_all_(!items) {
  if (!items) return;
  for (const std::string& item : *items) {
    if (item == "byo:*") {
      allows_all_ = true;
    } else if (!item.starts_with(model_prefix)) {
      aliases_.push_back(item);
    } else if (item.find('/') == item.size() - all_of_slug.size() && item.ends_with(all_of_slug)) {
      slugs_.push_back(item.substr(model_prefix.size(), item.size() - model_prefix.size() - 2));
    } else {
      models_.push_back(item);
    }
  }
  for (auto* list : {&models_, &slugs_, &aliases_}) std::sort(list->begin(), list->end());
}

bool KeyAllowlist::allows_model(std::string_view model_id, std::string_view slug) const noexcept {
  return allows_all_ || holds(slugs_, slug) || holds(models_, model_id);
}

bool KeyAllowlist::names_alias(std::string_view name) const noexcept {
  return holds(aliases_, name);
}

bool KeyAllowlist::touches(std::string_view slug) const noexcept {
  if (allows_all_ || holds(slugs_, slug)) return true;
  return std::any_of(models_.begin(), models_.end(), [&](std::string_view model) {
    model.remove_prefix(model_prefix.size());
    return model.substr(0, model.find('/')) == slug;
  });
}

Result<std::shared_ptr<KeyRecord>> KeyRecord::make(CustomerKey key, KeyVerifier verifier,
                                                   std::optional<KeyVerifier> previous) {
  if (Result<void> good = check_key_settings(key.settings); !good) return good.error();
  auto record = std::make_shared<KeyRecord>();
  record->allow = KeyAllowlist(key.settings.allow);
  record->verifier = verifier;
  if (!key.settings.expires.empty()) record->expires = base::parse_rfc3339(key.settings.expires);
  if (previous && !key.overlap_until.empty()) {
    const auto until = base::parse_rfc3339(key.overlap_until);
    if (!until) return field_invalid("overlap_until", "is no time");
    record->overlap_until = *until;
    record->previous = previous;
  }
  record->key = std::move(key);
  return record;
}

}  // namespace byway::registry
