// OpenedKeys: upstream keys that are open because an attempt needs them now.
#pragma once

#include <memory>
#include <unordered_map>
#include <utility>

#include <byway/result.hpp>
#include <byway/secret.hpp>

#include "registry/snapshot.hpp"

namespace byway::router {

/// A key is opened when an attempt begins, shared by the attempts of its endpoint that are in
/// flight at the same time, and wiped with the last of them. *Loop thread only.*
class OpenedKeys {
 public:
  /// The header line that holds the entry's key; null for an endpoint without a key. `entry` must
  /// live as long as the result. Codes: those of registry::OpenKey.
  Result<std::shared_ptr<const Secret>> open(const registry::Entry& entry) {
    if (!entry.open_key) return std::shared_ptr<const Secret>();
    if (opened_.size() > entries_max) forget_closed();
    std::weak_ptr<const Secret>& known = opened_[&entry];
    if (auto held = known.lock()) return held;
    auto line = std::make_shared<Secret>();
    if (auto opened = entry.open_key(*line); !opened) return opened.error();
    known = line;
    return std::shared_ptr<const Secret>(std::move(line));
  }

 private:
  static constexpr std::size_t entries_max = 256;

  void forget_closed() {
    std::erase_if(opened_, [](const auto& entry) { return entry.second.expired(); });
  }

  /// An entry may go and another come to its address: no attempt holds the old key then, and the
  /// pointer here has expired.
  std::unordered_map<const registry::Entry*, std::weak_ptr<const Secret>> opened_;
};

}  // namespace byway::router
