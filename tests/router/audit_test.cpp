// The audit log through a router: administration, sinks, and what a call will write.
#include <byway/audit.hpp>

#include <atomic>
#include <mutex>

#include "router/access_rig.hpp"
#include "router/audit_desk.hpp"
#include "router/catalog_audit.hpp"

namespace byway::router {
namespace {

class Ear final : public AuditSink {
 public:
  void on_record(const AuditRecord& record) override {
    const std::lock_guard lock(mutex_);
    heard_.push_back(record.action + " " + record.subject);
  }
  void on_head(const AuditHead& head) override {
    const std::lock_guard lock(mutex_);
    anchor_ = head.line;
  }
  std::vector<std::string> heard() const {
    const std::lock_guard lock(mutex_);
    return heard_;
  }
  std::string anchor() const {
    const std::lock_guard lock(mutex_);
    return anchor_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> heard_;
  std::string anchor_;
};

std::vector<std::string> actions(const Admin& admin) {
  std::vector<std::string> told;
  for (const AuditRecord& record : must(admin.audit_tail(100))) {
    told.push_back(record.action + " " + record.subject);
  }
  return told;
}

TEST_CASE("a change and its record are both made or neither", "[audit]") {
  AccessRig rig;
  const auto before = actions(rig.owner);
  CHECK(before == std::vector<std::string>{"endpoint.add plain", "endpoint.add off",
                                           "endpoint.add few", "endpoint.add euro"});
  const FieldChange wrong[] = {{"name", "x"}, {"rpm", "-1"}};
  CHECK(code_of(rig.owner.set_endpoint("plain", wrong)) == "registry_field_invalid");
  CHECK(code_of(rig.owner.add_endpoint(settings_of("plain"))) == "registry_duplicate_slug");
  CHECK(code_of(rig.owner.import_registry("[[endpoint]]\nslug = \"x\"\n")) != "ok");
  CHECK(actions(rig.owner) == before);
  CHECK(must(rig.owner.audit_verify()).problem.empty());
}

TEST_CASE("a record names the key that acted, and holds no secret", "[audit]") {
  AccessRig rig;
  const MintedKey minted = must(rig.owner.mint_customer_key(in_role(Role::admin)));
  Admin admin = must(rig.router.admin({.key = text_of(minted)}));
  must(admin.rotate_key("plain", canary));
  const AuditRecord record = must(admin.audit_tail(1)).front();
  CHECK(record.actor == minted.record.id);
  CHECK(record.action == "endpoint.rotate");
  CHECK(record.endpoint == "plain");
  CHECK(record.org == "local");
  std::string exported;
  must(admin.audit_export({}, [&](std::string_view line) {
    exported += line;
    return true;
  }));
  CHECK(exported.find(canary) == std::string::npos);
  CHECK(exported.find(text_of(minted).substr(25)) == std::string::npos);
  CHECK_FALSE(rig.folder.holds(canary));
}

TEST_CASE("sinks hear of changes, and of the head that proves them", "[audit]") {
  const CatalogFolder folder;
  must(create_store({.path = folder.store()}));
  const auto ear = std::make_shared<Ear>();
  {
    const Router router =
        must(Router::open({.store = folder.store(),
                           .require_key = false,
                           .audit_sinks = {ear},
                           .transport = std::make_shared<testing::FakeTransport>()}));
    must(router.admin_as_owner().add_endpoint(settings_of("plain")));
    CHECK(router.health().audit.problem.empty());
  }
  CHECK(ear->heard() == std::vector<std::string>{"endpoint.add plain"});
  CHECK(ear->anchor() + "\n" == bytes_of(folder.store() + ".head"));
}

TEST_CASE("what a call tells its desk is in usage once the desk is closed", "[audit]") {
  AccessRig rig;
  const store::AuditKey key = [&] {
    const auto catalog = open_catalog({.store = rig.folder.store()});
    return must(audit_key_of(catalog->snapshots().current()->access()));
  }();
  auto desk = must(AuditDesk::open({.store = rig.folder.store(), .key = key}));
  policy::CallOutcome outcome;
  outcome.call.request_id = "bw-req-1";
  outcome.call.org = "local";
  outcome.call.purpose = "judge";
  outcome.input_tokens = 12;
  auto ticket = must(desk->log().begin(outcome.call));
  ticket.end(outcome);
  desk.reset();
  const UsageReport report = must(rig.owner.usage({.by = {UsageGroup::purpose}}));
  REQUIRE(report.rows.size() == 1);
  CHECK(report.rows[0].group == std::vector<std::string>{"judge"});
  CHECK(report.upstream.input_tokens == 12);
  CHECK(must(rig.owner.audit_verify()).problem.empty());
}

TEST_CASE("another master key signs with the same key", "[audit]") {
  AccessRig rig;
  must(rig.owner.rotate_master());
  CHECK(must(rig.owner.audit_tail(1)).front().action == "vault.rotate");
  CHECK(must(rig.owner.audit_verify()).problem.empty());
  must(rig.owner.create_org("acme"));
  CHECK(must(rig.owner.audit_verify()).problem.empty());
}

TEST_CASE("a registry file has no audit log", "[audit]") {
  const CatalogFolder folder;
  const std::string file = folder.write("registry.toml", "");
  const Router router = must(
      Router::open({.registry = file, .transport = std::make_shared<testing::FakeTransport>()}));
  CHECK(code_of(router.admin_as_owner().audit_tail()) == "registry_read_only");
  CHECK(code_of(router.admin_as_owner().usage()) == "registry_read_only");
}

}  // namespace
}  // namespace byway::router
