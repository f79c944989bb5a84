// Sinks: slow ones stall nothing, throwing ones are counted.
#include "policy/audit/audit_observer.hpp"

#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include "audit/scratch_audit.hpp"
#include "catch.hpp"

namespace byway::policy {
namespace {

class Gate final : public AuditSink {
 public:
  void on_record(const AuditRecord& record) override {
    std::unique_lock lock(mutex_);
    open_.wait(lock, [&] { return is_open_; });
    heard.push_back(record.request_id);
  }
  void on_head(const AuditHead& head) override { anchor = head.line; }
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    open_.notify_all();
  }
  /// Read after the observer is gone.
  std::vector<std::string> heard;
  std::string anchor;

 private:
  std::mutex mutex_;
  std::condition_variable open_;
  bool is_open_ = false;
};

class Thrower final : public AuditSink {
 public:
  void on_record(const AuditRecord&) override { throw std::runtime_error("no"); }
};

store::AuditListener listener_of(AuditObserver& observer) {
  return {[&observer](std::int64_t seq, std::string_view bytes, std::string_view hash) {
            observer.offer(seq, bytes, hash);
          },
          [&observer](const AuditHead& head) { observer.offer(head); }};
}

TEST_CASE("a sink that hangs or throws stalls no call, and what it cannot take is counted",
          "[audit]") {
  const ScratchAudit scratch;
  const auto gate = std::make_shared<Gate>();
  auto observer = must(AuditObserver::start({std::make_shared<Thrower>(), gate}, 16));
  auto store = scratch.open_store(listener_of(*observer));
  auto log = scratch.open_log(*store);
  for (int at = 0; at < 50; ++at) {
    const std::string id = std::to_string(at);
    must(log->begin(call_of(id))).end(outcome_of(id));
  }
  must(log->work(*store));
  must(log->close(*store));
  const base::ObserverCounts counts = observer->counts();
  CHECK(counts.offered >= 101);
  CHECK(counts.dropped >= counts.offered - 18);
  CHECK(scratch.integer("SELECT count(*) FROM audit") == 100);
  gate->open();
  observer.reset();
  CHECK(gate->heard.size() + static_cast<std::size_t>(counts.dropped) >= 100);
  CHECK(gate->heard.front() == "0");
}

TEST_CASE("an anchor sink is told the head that the file holds", "[audit]") {
  const ScratchAudit scratch;
  const auto gate = std::make_shared<Gate>();
  gate->open();
  auto observer = must(AuditObserver::start({gate}));
  auto store = scratch.open_store(listener_of(*observer));
  auto log = scratch.open_log(*store);
  must(log->begin(call_of("a"))).end(outcome_of("a"));
  must(log->work(*store));
  must(log->close(*store));
  observer.reset();
  CHECK(gate->heard == std::vector<std::string>{"a", "a"});
  CHECK(gate->anchor + "\n" == store::bytes_of(store::head_file_of(scratch.path())));
  CHECK(scratch.verify().head.line == gate->anchor);
}

}  // namespace
}  // namespace byway::policy
