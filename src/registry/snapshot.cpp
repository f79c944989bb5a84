#include "registry/snapshot.hpp"

#include <algorithm>
#include <tuple>

namespace byway::registry {
namespace {

std::atomic<std::uint64_t> cells_made{0};

const std::string& org_of(const std::shared_ptr<const Entry>& entry) {
  return entry->endpoint.settings.org;
}
const std::string& slug_of(const std::shared_ptr<const Entry>& entry) {
  return entry->endpoint.settings.slug;
}

}  // namespace

std::size_t Snapshot::HashPlace::operator()(const Place& place) const noexcept {
  const std::hash<std::string_view> hash;
  return hash(place.first) * 31 + hash(place.second);
}

Snapshot::Snapshot(std::vector<std::shared_ptr<const Entry>> entries, AccessRecords access)
    : entries_(std::move(entries)), access_(std::move(access)) {
  const auto before = [](const auto& a, const auto& b) {
    return std::tie(org_of(a), slug_of(a)) < std::tie(org_of(b), slug_of(b));
  };
  std::stable_sort(entries_.begin(), entries_.end(), before);
  places_.reserve(entries_.size());
  for (std::size_t at = 0; at < entries_.size(); ++at) {
    places_.emplace(Place(org_of(entries_[at]), slug_of(entries_[at])), at);
  }
}

const std::shared_ptr<const Entry>& Snapshot::find(std::string_view org,
                                                   std::string_view slug) const noexcept {
  static const std::shared_ptr<const Entry> none;
  const auto found = places_.find(Place(org, slug));
  return found == places_.end() ? none : entries_[found->second];
}

std::vector<std::shared_ptr<const Entry>> Snapshot::list(std::string_view org) const {
  std::vector<std::shared_ptr<const Entry>> listed;
  for (const auto& entry : entries_) {
    if (org_of(entry) == org && find(org, slug_of(entry)) == entry) listed.push_back(entry);
  }
  return listed;
}

/// What one thread saw last of one cell.
struct SnapshotCell::Seen {
  std::uint64_t cell = 0;
  std::uint64_t version = 0;
  std::weak_ptr<const void> alive = {};
  std::shared_ptr<const Snapshot> snapshot = {};
};

SnapshotCell::SnapshotCell()
    : id_(++cells_made),
      alive_(std::make_shared<int>()),
      newest_(std::make_shared<const Snapshot>()) {}

void SnapshotCell::publish(std::shared_ptr<const Snapshot> snapshot) {
  const std::lock_guard lock(mutex_);
  newest_.swap(snapshot);
  version_.fetch_add(1, std::memory_order_release);
}

std::shared_ptr<const Snapshot> SnapshotCell::current() const {
  thread_local std::vector<Seen> all_seen;
  for (Seen& seen : all_seen) {
    if (seen.cell != id_) continue;
    if (seen.version != version_.load(std::memory_order_acquire)) refresh(seen);
    return seen.snapshot;
  }
  std::erase_if(all_seen, [](const Seen& seen) { return seen.alive.expired(); });
  Seen& seen = all_seen.emplace_back(Seen{id_, 0, alive_, {}});
  refresh(seen);
  return seen.snapshot;
}

void SnapshotCell::refresh(Seen& seen) const {
  const std::lock_guard lock(mutex_);
  seen.version = version_.load(std::memory_order_relaxed);
  // A count of this thread's own, so that readers on several threads write to no common place.
  auto own = std::make_shared<const std::shared_ptr<const Snapshot>>(newest_);
  seen.snapshot = std::shared_ptr<const Snapshot>(own, own->get());
}

}  // namespace byway::registry
