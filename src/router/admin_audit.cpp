// Admin: the audit log and usage.
#include <byway/admin.hpp>

#include <utility>

#include "base/time_text.hpp"
#include "registry/fields.hpp"
#include "router/catalog_audit.hpp"
#include "router/catalog_keys.hpp"
#include "router/permissions.hpp"
#include "store/audit_reader.hpp"

namespace byway {
namespace {

using router::AdminMethod;
using router::CatalogDesk;

constexpr std::int64_t tail_max = 100'000;

/// Long reads have a connection of their own, so that neither calls nor changes wait for them.
Result<store::AuditReader> open_reader(router::Catalog& catalog) {
  auto path =
      catalog.change([](CatalogDesk& desk) -> Result<std::string> { return desk.keys.store(); });
  if (!path) return path.error();
  return store::AuditReader::open(*path);
}

Result<store::AuditKey> key_of(const router::Catalog& catalog) {
  return router::audit_key_of(catalog.snapshots().current()->access());
}

Result<std::int64_t> time_of(std::string_view field, const std::string& text,
                             std::int64_t fallback) {
  if (text.empty()) return fallback;
  const auto time = base::parse_rfc3339(text);
  if (time) return base::unix_us(*time);
  return registry::field_invalid(field, "must be a date or a time as 2027-01-31T00:00:00Z");
}

Result<store::AuditRange> range_of(const AuditSpan& span) {
  const store::AuditRange all;
  const auto since = time_of("since", span.since, all.since_us);
  if (!since) return since.error();
  const auto until = time_of("until", span.until, all.until_us);
  if (!until) return until.error();
  return store::AuditRange{*since, *until};
}

}  // namespace

Result<std::vector<AuditRecord>> Admin::audit_tail(std::int64_t count) const {
  if (Result<void> good = allow(AdminMethod::audit_tail); !good) return good.error();
  if (count < 0 || count > tail_max) {
    return registry::field_invalid("count", "is 0 to " + std::to_string(tail_max));
  }
  auto reader = open_reader(*catalog_);
  if (!reader) return reader.error();
  return reader->tail(org_, count);
}

Result<void> Admin::audit_export(const AuditSpan& span, const AuditLine& line) const {
  if (Result<void> good = allow(AdminMethod::audit_export); !good) return good;
  const auto range = range_of(span);
  if (!range) return range.error();
  auto reader = open_reader(*catalog_);
  if (!reader) return reader.error();
  return reader->each(org_, *range, line);
}

Result<AuditVerdict> Admin::audit_verify() const {
  if (Result<void> good = allow(AdminMethod::audit_verify); !good) return good.error();
  auto reader = open_reader(*catalog_);
  if (!reader) return reader.error();
  const auto key = key_of(*catalog_);
  if (!key) return key.error();
  return reader->verify(*key);
}

Result<void> Admin::audit_accept() {
  if (Result<void> good = allow(AdminMethod::audit_accept); !good) return good;
  auto reader = open_reader(*catalog_);
  if (!reader) return reader.error();
  const auto key = key_of(*catalog_);
  if (!key) return key.error();
  const auto verdict = reader->verify(*key);
  if (!verdict) return verdict.error();
  return reader->accept(
      *key,
      router::canonical(
          {.org = org_, .actor = key_id_, .action = "audit.accept", .subject = verdict->problem},
          catalog_->clock().wall_now()));
}

Result<UsageReport> Admin::usage(const UsageQuery& query) const {
  if (Result<void> good = allow(AdminMethod::usage); !good) return good.error();
  const auto range = range_of(query.span);
  if (!range) return range.error();
  auto reader = open_reader(*catalog_);
  if (!reader) return reader.error();
  return reader->usage(org_, query.by, *range);
}

Result<PrunedUsage> Admin::usage_prune(std::string_view before) {
  if (Result<void> good = allow(AdminMethod::usage_prune); !good) return good.error();
  const auto time = time_of("before", std::string(before), -1);
  if (!time) return time.error();
  if (*time < 0) return registry::field_invalid("before", "is missing");
  auto reader = open_reader(*catalog_);
  if (!reader) return reader.error();
  const auto key = key_of(*catalog_);
  if (!key) return key.error();
  return reader->prune(*key, org_, key_id_, *time);
}

}  // namespace byway
