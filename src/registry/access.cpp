#include "registry/access.hpp"

namespace byway::registry {
namespace {

template <class Record>
const std::shared_ptr<const Record>& none() noexcept {
  static const std::shared_ptr<const Record> nothing;
  return nothing;
}

}  // namespace

Access::Access(AccessRecords records) : records_(std::move(records)) {
  for (std::size_t at = 0; at < records_.keys.size(); ++at) {
    keys_.emplace(records_.keys[at]->key.id, at);
  }
  for (std::size_t at = 0; at < records_.aliases.size(); ++at) {
    const Alias& alias = *records_.aliases[at];
    aliases_.emplace(std::pair<std::string_view, std::string_view>(alias.org, alias.name), at);
  }
  for (std::size_t at = 0; at < records_.orgs.size(); ++at) {
    orgs_.emplace(records_.orgs[at]->org.name, at);
  }
}

const Pepper* Access::pepper(std::uint32_t version) const noexcept {
  for (const auto& pepper : records_.peppers) {
    if (pepper->version == version) return pepper.get();
  }
  return nullptr;
}

const Pepper* Access::newest_pepper() const noexcept {
  return records_.peppers.empty() ? nullptr : records_.peppers.back().get();
}

const std::shared_ptr<const KeyRecord>& Access::find_key(std::string_view id) const noexcept {
  const auto found = keys_.find(id);
  return found == keys_.end() ? none<KeyRecord>() : records_.keys[found->second];
}

const std::shared_ptr<const Alias>& Access::find_alias(std::string_view org,
                                                       std::string_view name) const noexcept {
  const auto found = aliases_.find({org, name});
  return found == aliases_.end() ? none<Alias>() : records_.aliases[found->second];
}

const std::shared_ptr<const OrgRecord>& Access::find_org(std::string_view name) const noexcept {
  const auto found = orgs_.find(name);
  return found == orgs_.end() ? none<OrgRecord>() : records_.orgs[found->second];
}

}  // namespace byway::registry
