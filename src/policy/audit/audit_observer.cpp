#include "policy/audit/audit_observer.hpp"

#include <optional>
#include <utility>

#include "base/audit_bytes.hpp"

namespace byway::policy {

AuditObserver::AuditObserver(Sinks sinks, std::unique_ptr<base::Observer> observer)
    : sinks_(std::make_shared<const Sinks>(std::move(sinks))), observer_(std::move(observer)) {}

Result<std::unique_ptr<AuditObserver>> AuditObserver::start(
    std::vector<std::shared_ptr<AuditSink>> sinks, std::size_t room) {
  auto observer = base::Observer::start("byway-audit", room);
  if (!observer) return observer.error();
  return std::unique_ptr<AuditObserver>(
      new AuditObserver(std::move(sinks), *std::move(observer)));
}

void AuditObserver::offer(std::int64_t seq, std::string_view bytes, std::string_view hash) {
  const std::optional<AuditFields> fields = base::decode_audit(bytes);
  if (!fields) return;
  AuditRecord record = base::to_record(*fields);
  record.seq = seq;
  record.hash = base::hex_of(hash);
  observer_->offer([sinks = sinks_, record = std::move(record)] {
    std::int64_t failed = 0;
    for (const auto& sink : *sinks) failed += base::throws([&] { sink->on_record(record); });
    return failed;
  });
}

void AuditObserver::offer(const AuditHead& head) {
  observer_->offer([sinks = sinks_, head] {
    std::int64_t failed = 0;
    for (const auto& sink : *sinks) failed += base::throws([&] { sink->on_head(head); });
    return failed;
  });
}

}  // namespace byway::policy
