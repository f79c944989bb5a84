// ModelFilter: a list of models shows only what its caller may call.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "registry/key_record.hpp"
#include "registry/snapshot.hpp"
#include "router/admission.hpp"

namespace byway::router {

/// Both allowlists: the customer key's, or what its alias grants, and the endpoint's.
class ModelFilter {
 public:
  ModelFilter(std::shared_ptr<const registry::Snapshot> snapshot, Admitted admitted);

  /// The list that `provider` ("byo:<slug>") gave; the same bytes when nothing restricts it. An
  /// alias may have drawn another endpoint than the one that was admitted here.
  std::string apply(std::string body, std::string_view provider) const;

  /// For a call that nobody admitted.
  static std::string empty_list();

 private:
  bool is_shown(const registry::Entry& entry, std::string_view upstream_model) const;

  std::shared_ptr<const registry::Snapshot> snapshot_;
  std::string org_;
  /// Null when the key allows everything.
  std::shared_ptr<const registry::KeyRecord> key_;
  /// Granted through; null otherwise.
  std::shared_ptr<const Alias> alias_;
};

}  // namespace byway::router
