#include "router/model_filter.hpp"

#include <algorithm>
#include <utility>

#include "wire/model_list.hpp"

namespace byway::router {

ModelFilter::ModelFilter(std::shared_ptr<const registry::Snapshot> snapshot, Admitted admitted)
    : snapshot_(std::move(snapshot)), org_(std::move(admitted.org)) {
  if (!admitted.key || admitted.key->allow.allows_all()) return;
  key_ = std::move(admitted.key);
  const bool is_granted = admitted.alias && key_->allow.names_alias(admitted.alias->name);
  if (is_granted) alias_ = std::move(admitted.alias);
}

bool ModelFilter::is_shown(const registry::Entry& entry, std::string_view upstream_model) const {
  if (!entry.allows_model(upstream_model)) return false;
  if (!key_) return true;
  const std::string& slug = entry.endpoint.settings.slug;
  const std::string id = "byo:" + slug + "/" + std::string(upstream_model);
  if (key_->allow.allows_model(id, slug)) return true;
  return alias_ != nullptr &&
         std::any_of(alias_->models.begin(), alias_->models.end(),
                     [&](const AliasModel& model) { return model.model == id; });
}

std::string ModelFilter::apply(std::string body, std::string_view provider) const {
  const auto& entry = snapshot_->find(org_, provider.substr(provider.find(':') + 1));
  if (!entry) return empty_list();
  if (!key_ && !entry->endpoint.settings.allow) return body;
  return wire::keep_models(body, [&](std::string_view model) { return is_shown(*entry, model); });
}

std::string ModelFilter::empty_list() {
  return R"({"object":"list","data":[]})";
}

}  // namespace byway::router
