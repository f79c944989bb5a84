// Ticket: what an admitted call holds of its limits until it is settled.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

namespace byway::policy {

class Quota;

/// What a call takes or took, by unit.
struct Amounts {
  std::int64_t requests = 1;
  std::int64_t tokens = 0;
  std::int64_t nano_dollars = 0;
  /// Of a rate of tokens, which takes an estimate where a cap takes a bound; absent: `tokens`.
  std::optional<std::int64_t> rate_tokens = {};
};

/// Exactly one of settle() and give_back() counts, the first; both give the in-flight share back.
/// Dropped without either, a ticket that was sent is charged what it held, and one that was not is
/// given back. Lives no longer than its Quota. *One thread at a time.* In a forked child it does
/// nothing.
class [[nodiscard]] Ticket {
 public:
  Ticket() noexcept = default;
  Ticket(Quota& quota, std::uint32_t entry, std::uint32_t sequence) noexcept
      : quota_(&quota), entry_(entry), sequence_(sequence) {}
  Ticket(Ticket&& other) noexcept { swap(other); }
  Ticket& operator=(Ticket&& other) noexcept {
    Ticket(std::move(other)).swap(*this);
    return *this;
  }
  ~Ticket();

  explicit operator bool() const noexcept { return quota_ != nullptr; }

  /// The call is about to leave: from here on it counts.
  void sent() noexcept { is_sent_ = true; }
  /// What it came to: tokens and money are trued up in both directions, in the windows that they
  /// were taken from. `requests` is not looked at. True when it came to more than was held: that is
  /// charged all the same and keeps later calls out.
  bool settle(const Amounts& actual) noexcept;
  /// Charged what it held, since what it came to is not known.
  void settle_as_held() noexcept;
  /// It never left.
  void give_back() noexcept;

 private:
  void swap(Ticket& other) noexcept {
    std::swap(quota_, other.quota_);
    std::swap(entry_, other.entry_);
    std::swap(sequence_, other.sequence_);
    std::swap(is_sent_, other.is_sent_);
  }
  Quota* quota_ = nullptr;
  std::uint32_t entry_ = 0;
  std::uint32_t sequence_ = 0;
  bool is_sent_ = false;
};

}  // namespace byway::policy
