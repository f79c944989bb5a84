// What calls tell the audit log, and how it becomes durable.
#include "policy/audit/audit_log.hpp"

#include <algorithm>
#include <set>
#include <thread>

#include "audit/scratch_audit.hpp"
#include "catch.hpp"

namespace byway::policy {
namespace {

using Records = std::vector<std::string>;

/// An AuditStore whose disk can fail.
class FailingStore final : public AuditStore {
 public:
  explicit FailingStore(AuditStore& real) : real_(&real) {}
  std::string_view log() const override { return real_->log(); }
  Result<AuditPosition> position(std::string_view journal) override {
    return real_->position(journal);
  }
  Result<void> append(std::string_view journal, std::span<const AuditItem> items,
                      const AuditPosition& after) override {
    ++appends;
    if (failure) return Error(*failure, "the disk said no");
    return real_->append(journal, items, after);
  }
  Result<void> end_calls(std::string_view journal, std::int64_t at_us) override {
    return real_->end_calls(journal, at_us);
  }
  Result<void> publish_head() override { return real_->publish_head(); }

  std::optional<ErrorCode> failure = {};
  int appends = 0;

 private:
  AuditStore* real_;
};

struct Waited : DurableWaiter {
  Waited() {
    resume = [](DurableWaiter& waiter) noexcept { ++static_cast<Waited&>(waiter).resumed; };
  }
  int resumed = 0;
};

TEST_CASE("a call leaves an intent and an outcome, and the log verifies", "[audit]") {
  const ScratchAudit scratch;
  auto store = scratch.open_store();
  auto log = scratch.open_log(*store);
  AuditTicket ticket = must(log->begin(call_of("bw-req-1")));
  CHECK(log->counts().queued == 1);
  must(log->work(*store));
  CHECK(scratch.records() == Records{"intent bw-req-1"});
  ticket.end(outcome_of("bw-req-1"));
  must(log->work(*store));
  CHECK(scratch.records() == Records{"intent bw-req-1", "outcome bw-req-1 ok"});
  CHECK(scratch.integer("SELECT count(*) FROM audit_open") == 0);
  CHECK(scratch.outcomes().at(0).input_tokens == 7);
  must(log->close(*store));
  const AuditVerdict verdict = scratch.verify();
  CHECK(verdict.problem.empty());
  CHECK(verdict.records == 2);
  CHECK(verdict.head.seq == 2);
  CHECK(is_exact(log->counts()));
}

TEST_CASE("a call that begins and ends between two looks is never open", "[audit]") {
  const ScratchAudit scratch;
  auto store = scratch.open_store();
  auto log = scratch.open_log(*store);
  for (int at = 0; at < 50; ++at) {
    AuditTicket ticket = must(log->begin(call_of("r" + std::to_string(at))));
    ticket.end(outcome_of("r" + std::to_string(at)));
    ticket.end(outcome_of("again"));
  }
  CallOutcome refusal = outcome_of("refused");
  refusal.outcome = "model_not_allowed";
  log->refused(refusal);
  must(log->work(*store));
  CHECK(scratch.integer("SELECT count(*) FROM audit") == 101);
  CHECK(scratch.integer("SELECT count(*) FROM audit_open") == 0);
  const std::vector<AuditRecord> outcomes = scratch.outcomes();
  CHECK(std::count_if(outcomes.begin(), outcomes.end(), [](const AuditRecord& outcome) {
          return outcome.action == "model_not_allowed";
        }) == 1);
}

TEST_CASE("a ticket that is dropped leaves its call in doubt", "[audit]") {
  const ScratchAudit scratch;
  auto store = scratch.open_store();
  auto log = scratch.open_log(*store);
  { const AuditTicket ticket = must(log->begin(call_of("lost"))); }
  must(log->work(*store));
  CHECK(scratch.records() == Records{"intent lost", "in_doubt lost in_doubt"});
}

TEST_CASE("a full journal refuses intents, never outcomes, and tells of refusals as a gap",
          "[audit]") {
  const ScratchAudit scratch;
  auto store = scratch.open_store();
  int woken = 0;
  auto log = scratch.open_log(*store, 8, [&] { ++woken; });
  std::vector<AuditTicket> tickets;
  for (int at = 0; at < 4; ++at) tickets.push_back(must(log->begin(call_of("in"))));
  CHECK(woken == 1);
  const auto refused = log->begin(call_of("no room"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::policy_audit_unavailable);
  for (int at = 0; at < 3; ++at) log->refused(outcome_of("dropped"));
  for (AuditTicket& ticket : tickets) ticket.end(outcome_of("in"));
  CHECK(log->counts().queued == 8);
  CHECK(log->counts().dropped == 3);
  CHECK(is_exact(log->counts()));
  must(log->work(*store));
  CHECK(scratch.integer("SELECT count(*) FROM audit WHERE kind <= 2") == 8);
  CHECK(scratch.records().back() == "gap dropped 3");
  CHECK(log->begin(call_of("room again")));
  must(log->work(*store));
  CHECK(scratch.verify().problem.empty());
  CHECK(is_exact(log->counts()));
}

TEST_CASE("drained intents free their room: more calls in flight than half the cells", "[audit]") {
  const ScratchAudit scratch;
  auto store = scratch.open_store();
  auto log = scratch.open_log(*store, 1024);
  std::vector<AuditTicket> tickets;
  for (int at = 0; at < 1000; ++at) {
    auto ticket = log->begin(call_of("r" + std::to_string(at)));
    if (!ticket) {
      must(log->work(*store));
      ticket = log->begin(call_of("r" + std::to_string(at)));
    }
    tickets.push_back(must(std::move(ticket)));
  }
  must(log->work(*store));
  CHECK(scratch.integer("SELECT count(*) FROM audit_open") == 1000);
  for (AuditTicket& ticket : tickets) ticket.end(outcome_of("r"));
  must(log->work(*store));
  CHECK(scratch.integer("SELECT count(*) FROM audit_open") == 0);
}

TEST_CASE("after a disk error nothing is taken and the store is left alone", "[audit]") {
  const ScratchAudit scratch;
  auto real = scratch.open_store();
  FailingStore store(*real);
  auto log = scratch.open_log(store);
  AuditTicket ticket = must(log->begin(call_of("before")));
  store.failure = ErrorCode::store_locked;
  CHECK_FALSE(log->work(store));
  CHECK(log->begin(call_of("a locked store is only slow")));
  store.failure = ErrorCode::store_io_error;
  Waited waited;
  CHECK(ticket.when_durable(waited));
  CHECK_FALSE(log->work(store));
  CHECK(waited.resumed == 1);
  CHECK(waited.is_failed);
  const auto after = log->begin(call_of("after"));
  REQUIRE_FALSE(after);
  CHECK(after.error().code() == ErrorCode::policy_audit_unavailable);
  ticket.end(outcome_of("before"));
  log->refused(outcome_of("refused"));
  const int appends = store.appends;
  store.failure.reset();
  must(log->work(store));
  CHECK(store.appends == appends);
  CHECK_FALSE(log->close(store));
  CHECK(is_exact(log->counts()));
  log.reset();
  // What it could not write down is still there for whoever comes next.
  auto heir = scratch.open_log(*real);
  const Records records = scratch.records();
  REQUIRE(records.size() == 5);
  CHECK(records[0] == "intent before");
  CHECK(records[3] == "outcome before ok");
  CHECK(records[4] == "gap dropped 1");
  CHECK(scratch.verify().problem.empty());
}

TEST_CASE("in strict mode a waiter is resumed once its record is durable", "[audit]") {
  const ScratchAudit scratch;
  auto store = scratch.open_store();
  auto log = scratch.open_log(*store);
  AuditTicket ticket = must(log->begin(call_of("strict")));
  Waited intent;
  Waited cancelled;
  REQUIRE(ticket.when_durable(intent));
  REQUIRE(ticket.when_durable(cancelled));
  CHECK(ticket.cancel(cancelled));
  CHECK_FALSE(ticket.cancel(cancelled));
  CHECK(intent.resumed == 0);
  must(log->work(*store));
  CHECK(intent.resumed == 1);
  CHECK_FALSE(intent.is_failed);
  CHECK(cancelled.resumed == 0);
  Waited late;
  CHECK_FALSE(ticket.when_durable(late));
  CHECK_FALSE(late.is_failed);
  ticket.end(outcome_of("strict"));
  Waited outcome;
  REQUIRE(ticket.when_durable(outcome));
  must(log->work(*store));
  CHECK(outcome.resumed == 1);
}

TEST_CASE("a forked child records nothing and harms nothing", "[audit]") {
  const ScratchAudit scratch;
  auto store = scratch.open_store();
  auto log = scratch.open_log(*store);
  AuditTicket ticket = must(log->begin(call_of("parent")));
  const int status = store::run_in_child([&] {
    const auto begun = log->begin(call_of("child"));
    if (begun || begun.error().code() != ErrorCode::internal_used_after_fork) return 1;
    ticket.end(outcome_of("child"));
    log->refused(outcome_of("child"));
    return log->work(*store) ? 2 : 0;
  });
  CHECK(status == 0);
  ticket.end(outcome_of("parent"));
  must(log->work(*store));
  CHECK(scratch.records() == Records{"intent parent", "outcome parent ok"});
}

TEST_CASE("many threads at once: every record once, in the order of each call", "[audit]") {
  const ScratchAudit scratch;
  auto store = scratch.open_store();
  auto log = scratch.open_log(*store, 512);
  constexpr int threads = 8;
  constexpr int calls = 500;
  std::atomic<int> running{threads};
  std::vector<std::thread> callers;
  for (int thread = 0; thread < threads; ++thread) {
    callers.emplace_back([&, thread] {
      for (int at = 0; at < calls;) {
        const std::string id = std::to_string(thread) + "-" + std::to_string(at);
        auto ticket = log->begin(call_of(id));
        if (!ticket) {
          std::this_thread::yield();
          continue;
        }
        ticket->end(outcome_of(id));
        ++at;
      }
      running.fetch_sub(1);
    });
  }
  while (running.load() != 0) must(log->work(*store));
  for (std::thread& caller : callers) caller.join();
  must(log->close(*store));
  std::set<std::string> ended;
  for (const AuditRecord& outcome : scratch.outcomes()) ended.insert(outcome.request_id);
  CHECK(ended.size() == std::size_t{threads} * calls);
  CHECK(scratch.integer("SELECT count(*) FROM audit") == 2 * threads * calls);
  CHECK(scratch.integer("SELECT count(*) FROM audit_open") == 0);
  CHECK(is_exact(log->counts()));
  CHECK(scratch.verify().problem.empty());
}

TEST_CASE("two processes append to one chain, and each buries the other", "[audit]") {
  const ScratchAudit scratch;
  const int status = store::run_in_child([&] {
    auto store = scratch.open_store();
    auto log = scratch.open_log(*store);
    AuditTicket written = must(log->begin(call_of("written")));
    must(log->work(*store));
    AuditTicket kept = must(log->begin(call_of("kept")));
    AuditTicket ended = must(log->begin(call_of("ended")));
    ended.end(outcome_of("ended"));
    ::kill(::getpid(), SIGKILL);
    return 0;
  });
  CHECK(status == -SIGKILL);
  CHECK(scratch.records() == Records{"intent written"});
  auto store = scratch.open_store();
  auto log = scratch.open_log(*store);
  CHECK(scratch.records() == Records{"intent written", "intent kept", "intent ended",
                                     "outcome ended ok", "in_doubt written in_doubt",
                                     "in_doubt kept in_doubt"});
  // Another log of the same host finds nothing more, and numbers go on.
  auto other_store = scratch.open_store();
  auto other = scratch.open_log(*other_store);
  must(other->begin(call_of("second"))).end(outcome_of("second"));
  must(log->begin(call_of("first"))).end(outcome_of("first"));
  must(other->work(*other_store));
  must(log->work(*store));
  must(other->close(*other_store));
  must(log->close(*store));
  CHECK(scratch.integer("SELECT count(*) FROM audit") == 10);
  const AuditVerdict verdict = scratch.verify();
  CHECK(verdict.problem.empty());
  CHECK(verdict.head.seq == 10);
}

TEST_CASE("what cannot be read in a dead process's journal becomes a gap", "[audit]") {
  const ScratchAudit scratch;
  store::run_in_child([&] {
    auto store = scratch.open_store();
    auto log = scratch.open_log(*store);
    must(log->begin(call_of("good"))).end(outcome_of("good"));
    AuditTicket spoiled = must(log->begin(call_of("spoiled")));
    ::kill(::getpid(), SIGKILL);
    return 0;
  });
  auto store = scratch.open_store();
  {
    auto journal = JournalFile::take_found(scratch.path(), 0, store->log());
    REQUIRE(journal);
    JournalCell& cell = journal->cell(2);
    cell.bytes[cell.size - 1] = '\x7F';
    cell.size += 1;
    cell.checksum = checksum_of(cell, 2);
  }
  auto log = scratch.open_log(*store);
  CHECK(scratch.records() == Records{"intent good", "outcome good ok", "gap dropped 1"});
  must(log->close(*store));
  CHECK(scratch.verify().problem.empty());
}

TEST_CASE("an overlong or absurd record is cut to its room", "[audit]") {
  const ScratchAudit scratch;
  auto store = scratch.open_store();
  auto log = scratch.open_log(*store);
  const std::string text(1000, 'x');
  CallOutcome outcome = outcome_of(text);
  outcome.call.org = outcome.call.key_id = outcome.call.endpoint_id = outcome.call.endpoint = text;
  outcome.call.model = outcome.model_served = outcome.outcome = outcome.cause = text;
  outcome.input_tokens = outcome.output_tokens = outcome.cached_tokens = INT64_MAX;
  outcome.reasoning_tokens = outcome.nano_dollars = outcome.latency_us = INT64_MAX;
  outcome.queue_us = outcome.upstream_us = outcome.overhead_us = outcome.pii = INT64_MAX;
  outcome.call.operation = outcome.call.purpose = outcome.call.mode = text;
  outcome.status = outcome.first_token_us = INT64_MAX;
  outcome.attempts = -5;
  must(log->begin(outcome.call)).end(outcome);
  must(log->work(*store));
  const AuditRecord record = scratch.outcomes().at(0);
  CHECK(record.model.size() == 64);
  CHECK(record.input_tokens == INT64_MAX);
  CHECK(record.attempts == 0);
  CHECK(scratch.verify().problem.empty());
}

}  // namespace
}  // namespace byway::policy
