#include "router/limits_left.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "transport/event_loop.hpp"

namespace byway::router {
namespace {

using policy::LimitKind;

/// The durable part of a count is there once a call that takes nothing is admitted.
void wait_for_counts(policy::Quota& quota, const policy::LimitList& list) {
  if (transport::EventLoop::current() != nullptr) return;
  std::vector<policy::Limit> counted;
  for (const policy::Limit& limit : list.limits) {
    // Its share is one whatever is asked, and nothing of it is durable.
    if (limit.kind != LimitKind::in_flight) counted.push_back(limit);
  }
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
  while (std::chrono::steady_clock::now() < until) {
    auto answer = quota.admit(counted, {.requests = 0}, "explain");
    answer.ticket.give_back();
    if (answer.outcome != policy::Admission::Outcome::wait) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void lower(std::optional<std::int64_t>& least, const std::optional<std::int64_t>& left) {
  if (left && (!least || *left < *least)) least = left;
}

/// Of a rate, or a cap of requests or tokens.
std::optional<std::int64_t>& field_for(const policy::Limit& limit, Metadata& metadata) noexcept {
  const bool is_tokens = limit.unit == QuotaUnit::tokens;
  switch (limit.kind) {
    case LimitKind::day:
      return is_tokens ? metadata.cap_remaining_tokens_day : metadata.cap_remaining_day;
    case LimitKind::month:
      return is_tokens ? metadata.cap_remaining_tokens_month : metadata.cap_remaining_month;
    default: return is_tokens ? metadata.remaining_tokens : metadata.remaining_requests;
  }
}

}  // namespace

std::string_view name_of(const policy::Limit& limit) noexcept {
  switch (limit.kind) {
    case LimitKind::rate: return limit.unit == QuotaUnit::tokens ? "tpm" : "rpm";
    case LimitKind::in_flight: return "in_flight";
    default: break;
  }
  const bool is_day = limit.kind == LimitKind::day;
  switch (limit.unit) {
    case QuotaUnit::tokens: return is_day ? "cap_tokens_day" : "cap_tokens_month";
    case QuotaUnit::nano_dollars: return "cap_money_month";
    default: return is_day ? "cap_day" : "cap_month";
  }
}

std::string_view owner_of(const policy::Limit& limit) noexcept {
  const std::string_view subject = limit.subject.text();
  return subject.substr(0, subject.find(':'));
}

void add_limits_left(std::vector<LimitLeft>& to, policy::Quota& quota,
                     const policy::LimitList& list) {
  wait_for_counts(quota, list);
  for (const policy::Limit& limit : list.limits) {
    const bool is_rate = limit.kind == LimitKind::rate;
    const std::int64_t all = is_rate ? policy::rate_of(limit).burst : limit.limit;
    to.push_back({std::string(owner_of(limit)), std::string(name_of(limit)), limit.limit,
                  quota.remaining(limit).value_or(all)});
  }
}

void note_limits_left(Metadata& metadata, const policy::Quota& quota,
                      const policy::LimitList& list) {
  const policy::Quota::Remaining all = quota.remaining(list.limits);
  for (std::size_t at = 0; at < list.limits.size(); ++at) {
    const policy::Limit& limit = list.limits[at];
    if (limit.kind == LimitKind::in_flight || limit.unit == QuotaUnit::nano_dollars) continue;
    const std::optional<std::int64_t> left = all[at];
    lower(field_for(limit, metadata), left);
  }
}

}  // namespace byway::router
