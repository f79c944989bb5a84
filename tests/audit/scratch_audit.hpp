// A store with an audit log in a folder of its own, for the audit's tests.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/audit_bytes.hpp"
#include "policy/audit/audit_log.hpp"
#include "store/audit_verify.hpp"
#include "store/scratch.hpp"
#include "store/sqlite_audit.hpp"

namespace byway::policy {

using store::must;

inline store::AuditKey audit_key(unsigned char fill = 7) {
  store::AuditKey key;
  key.version = 1;
  key.bytes.fill(fill);
  return key;
}

inline CallIntent call_of(std::string_view request_id) {
  CallIntent call;
  call.request_id = request_id;
  call.org = "acme";
  call.key_id = "0123456789ABCDef";
  call.mode = "live";
  call.endpoint_id = "01J0000000000000000000000A";
  call.endpoint = "my-vllm";
  call.model = "byo:my-vllm/meta-llama/Llama-4-Maverick";
  call.operation = "chat";
  call.purpose = "inference";
  return call;
}

inline CallOutcome outcome_of(std::string_view request_id) {
  CallOutcome outcome;
  outcome.call = call_of(request_id);
  outcome.model_served = "meta-llama/Llama-4-Maverick";
  outcome.status = 200;
  outcome.attempts = 1;
  outcome.input_tokens = 7;
  outcome.output_tokens = 2;
  outcome.latency_us = 3100;
  return outcome;
}

struct ScratchAudit {
  ScratchAudit() {
    must(must(store::RegistryStore::create(path())).prepare_audit(audit_key(), {}, true));
  }

  std::string path() const { return folder / "byway.db"; }
  std::unique_ptr<store::SqliteAudit> open_store(store::AuditListener listener = {}) const {
    return must(store::SqliteAudit::open(path(), audit_key(), std::move(listener)));
  }
  std::unique_ptr<AuditLog> open_log(AuditStore& store, std::uint32_t cells = 256,
                                     std::function<void()> wake = {}) const {
    AuditOptions options;
    options.store = path();
    options.cells = cells;
    options.wake = std::move(wake);
    return must(AuditLog::open(std::move(options), store));
  }
  store::OpenedStore database() const {
    return must(store::open_store(path(), std::chrono::seconds(5)));
  }
  AuditVerdict verify() const {
    store::OpenedStore opened = database();
    return must(store::verify_audit(opened.database, path(), audit_key()));
  }
  /// "kind request-id action" of every record, oldest first.
  std::vector<std::string> records() const {
    std::vector<std::string> found;
    store::OpenedStore opened = database();
    must(
        opened.database.run("SELECT bytes FROM audit ORDER BY seq", {}, [&](const store::Row& row) {
          const std::string bytes = row.bytes(0);
          const AuditFields fields = base::decode_audit(bytes).value();
          std::string text(name_of(fields.kind));
          if (!fields.request_id.empty()) text += " " + std::string(fields.request_id);
          if (!fields.action.empty()) text += " " + std::string(fields.action);
          if (fields.count != 0) text += " " + std::to_string(fields.count);
          found.push_back(std::move(text));
        }));
    return found;
  }
  /// Calls that ended, oldest first.
  std::vector<AuditRecord> outcomes() const {
    std::vector<AuditRecord> found;
    store::OpenedStore opened = database();
    must(opened.database.run("SELECT bytes FROM audit WHERE kind = 2 ORDER BY seq", {},
                             [&](const store::Row& row) {
                               const std::string bytes = row.bytes(0);
                               found.push_back(base::to_record(base::decode_audit(bytes).value()));
                             }));
    return found;
  }
  std::int64_t integer(const char* sql) const { return must(database().database.integer(sql)); }

  store::ScratchFolder folder;
};

/// Whether the records that were handed over are all somewhere.
inline bool is_exact(const AuditCounts& counts) {
  return counts.accepted == counts.durable + counts.queued + counts.dropped;
}

}  // namespace byway::policy
