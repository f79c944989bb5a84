// Alias: a model name of the caller's choice that stands for several model ids.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace byway {

struct AliasModel {
  /// "byo:<slug>/<model>"; never another alias.
  std::string model = {};
  /// 1 to 1,000,000; given for all models of an alias or for none.
  std::optional<std::int64_t> weight = {};
  bool operator==(const AliasModel&) const = default;
};

/// A call names the alias as its model; the first candidate that passes every rule for itself is
/// called. Without weights the order is the list's; with them each call draws one, by its request
/// id. Nothing else ever falls back.
struct Alias {
  /// [a-z0-9][a-z0-9._-]{0,63}, unique in its org.
  std::string name = {};
  std::vector<AliasModel> models = {};
  /// Tags that a candidate's endpoint must have.
  std::vector<std::string> require = {};
  std::string org = "local";
  bool operator==(const Alias&) const = default;
};

}  // namespace byway
