// Usage: sums over outcomes; and pruning, which the log survives.
#include <fstream>

#include "audit/scratch_audit.hpp"
#include "catch.hpp"
#include "store/audit_reader.hpp"

namespace byway::policy {
namespace {

using store::AuditRange;
using store::AuditReader;

struct UsedStore : ScratchAudit {
  void call(std::string_view key, std::string_view endpoint, std::string_view purpose,
            std::int64_t tokens, std::string_view how = "ok") {
    CallOutcome outcome = outcome_of("r");
    outcome.call.key_id = key;
    outcome.call.endpoint = endpoint;
    outcome.call.purpose = purpose;
    outcome.input_tokens = tokens;
    outcome.outcome = how;
    must(log->begin(outcome.call)).end(outcome);
    must(log->work(*store));
  }
  AuditReader reader() const { return must(AuditReader::open(path())); }

  std::unique_ptr<store::SqliteAudit> store = open_store();
  std::unique_ptr<AuditLog> log = open_log(*store);
};

TEST_CASE("usage is summed by groups, and purposes apart from tokens", "[audit]") {
  UsedStore used;
  used.call("k1", "a-a", "inference", 10);
  used.call("k1", "b-b", "judge", 20);
  used.call("k2", "a-a", "judge", 30, "upstream_error");
  used.call("k2", "a-a", "scorer", INT64_MAX);
  used.call("k2", "a-a", "scorer", INT64_MAX);
  AuditReader reader = used.reader();
  const UsageReport report =
      must(reader.usage("acme", {UsageGroup::key, UsageGroup::endpoint}, AuditRange()));
  REQUIRE(report.rows.size() == 3);
  CHECK(report.rows[0].group == std::vector<std::string>{"k1", "a-a"});
  CHECK(report.rows[0].input_tokens == 10);
  CHECK(report.rows[2].calls == 3);
  CHECK(report.rows[2].succeeded == 2);
  // No number that a server sends can break a sum.
  CHECK(report.rows[2].input_tokens == 30 + 2'000'000'000'000);
  CHECK(report.upstream.calls == 5);
  REQUIRE(report.platform.size() == 3);
  CHECK(report.platform[1].purpose == "judge");
  CHECK(report.platform[1].calls == 2);
  CHECK(must(reader.usage("other", {}, AuditRange())).upstream.calls == 0);
  CHECK(must(reader.usage("acme", {UsageGroup::day}, AuditRange())).rows.size() == 1);
  CHECK(must(reader.usage("acme", {}, {0, 1})).upstream.calls == 0);
  CHECK(must(reader.usage("acme", {UsageGroup::model, UsageGroup::purpose}, {})).rows.size() == 3);
}

TEST_CASE("pruning stops before a call in flight, and the log goes on to verify", "[audit]") {
  UsedStore used;
  used.call("k1", "a-a", "inference", 10);
  AuditTicket open = must(used.log->begin(call_of("open")));
  must(used.log->work(*used.store));
  used.call("k1", "a-a", "inference", 10);
  AuditReader reader = used.reader();
  CHECK(must(reader.prune(audit_key(), "acme", "", 1)).records == 0);
  PrunedUsage pruned = must(reader.prune(audit_key(), "acme", "", INT64_MAX));
  CHECK(pruned.seq == 2);
  CHECK(used.verify().problem.empty());
  CHECK(used.verify().first_seq == 3);
  open.end(outcome_of("open"));
  must(used.log->work(*used.store));
  pruned = must(reader.prune(audit_key(), "acme", "", INT64_MAX));
  CHECK(pruned.records == 5);
  CHECK(used.records() == std::vector<std::string>{"cut usage.prune 7"});
  used.call("k1", "a-a", "inference", 10);
  must(used.log->close(*used.store));
  const AuditVerdict verdict = used.verify();
  CHECK(verdict.problem.empty());
  CHECK(verdict.head.count == 3);
}

TEST_CASE("a start that was cut off without a record is found", "[audit]") {
  UsedStore used;
  for (int at = 0; at < 4; ++at) used.call("k", "a-a", "judge", 1);
  store::OpenedStore opened = used.database();
  must(opened.database.run("DELETE FROM audit WHERE seq <= 3"));
  CHECK(used.verify().bad_seq == 1);
  must(opened.database.run(
      "UPDATE audit_log SET cut_seq = 3, cut_hash = (SELECT hash FROM audit WHERE seq = 4)"));
  CHECK(used.verify().bad_seq == 4);
}

TEST_CASE("a log of an older version keeps its records, and verifies", "[audit]") {
  const ScratchAudit scratch;
  const std::string path = scratch.folder / "older.db";
  const std::string bytes = base::encode_audit(fields_of(outcome_of("kept"), 5));
  const std::string hash = store::audit_hash(std::string(32, '\0'), 1, bytes);
  {
    const auto older = store::all_migrations().first(5);
    store::OpenedStore made = must(store::create_store(path, std::chrono::seconds(5), older));
    must(made.database.run(
        "INSERT INTO audit(seq, kind, at_us, org, bytes, hash, input_tokens)"
        " VALUES(1, 2, 5, 'acme', ?, ?, 7)",
        {store::Bytes{bytes}, store::Bytes{hash}}));
    store::AuditState state = must(store::read_audit_state(made.database));
    state.seq = 1;
    state.hash = hash;
    const AuditHead head = store::sign_head(state, audit_key(), 5);
    must(made.database.run("UPDATE audit_log SET seq = 1, hash = ?, head = ?",
                           {store::Bytes{hash}, head.line}));
    std::ofstream(store::head_file_of(path)) << head.line << '\n';
  }
  AuditReader reader = must(AuditReader::open(path));
  const AuditVerdict verdict = must(reader.verify(audit_key()));
  CHECK(verdict.problem.empty());
  CHECK(verdict.records == 1);
  CHECK(must(reader.usage("acme", {}, {})).upstream.input_tokens == 7);
}

TEST_CASE("a record as JSON has what is there and nothing else", "[audit]") {
  AuditRecord record = base::to_record(fields_of(call_of("bw-req-1"), 1'000'000));
  record.seq = 7;
  record.hash = "ab";
  record.model = "a\"\n\xff";
  CHECK(to_json(record) ==
        R"({"seq":7,"kind":"intent","at":"1970-01-01T00:00:01Z","at_us":1000000,"org":"acme",)"
        R"("actor":"0123456789ABCDef","mode":"live","request_id":"bw-req-1",)"
        R"("endpoint_id":"01J0000000000000000000000A","endpoint":"my-vllm",)"
        "\"model\":\"a\\\"\\n\xEF\xBF\xBD\","
        R"("operation":"chat","purpose":"inference","hash":"ab"})");
}

TEST_CASE("canonical bytes read back, and anything else is refused", "[audit]") {
  const std::string bytes = base::encode_audit(fields_of(outcome_of("bw-req-1"), 5));
  const auto fields = base::decode_audit(bytes);
  REQUIRE(fields);
  CHECK(*fields == fields_of(outcome_of("bw-req-1"), 5));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(base::decode_audit(std::string_view(bytes).substr(0, size)));
  }
  CHECK_FALSE(base::decode_audit(bytes + '\0'));
}

}  // namespace
}  // namespace byway::policy
