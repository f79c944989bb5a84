// Tampering: whatever is done to the log is found, and the first bad record is named.
#include <cstdlib>
#include <filesystem>
#include <random>

#include "audit/scratch_audit.hpp"
#include "catch.hpp"

namespace byway::policy {
namespace {

constexpr std::int64_t records = 40;

/// A log of 40 records, as files that can be copied back.
struct Honest {
  Honest() {
    auto store = scratch.open_store();
    auto log = scratch.open_log(*store);
    for (int at = 0; at < records / 2; ++at) {
      must(store->publish_head());
      older.push_back(keep());
      const std::string id = "bw-req-" + std::to_string(at);
      must(log->begin(call_of(id))).end(outcome_of(id));
      must(log->work(*store));
    }
    must(log->close(*store));
    log.reset();
    store.reset();
    whole = keep();
    half = older[records / 4];
  }

  std::string keep() const {
    std::string name = scratch.folder / std::to_string(older.size());
    // A copy of a database in use goes through its log: the copy is made with SQLite's own means.
    store::OpenedStore opened = scratch.database();
    must(opened.database.run("VACUUM INTO ?", {name}));
    std::filesystem::copy_file(store::head_file_of(scratch.path()), name + ".head");
    return name;
  }
  /// Puts the log into `path`.
  static void put(const std::string& from, const std::string& head, const std::string& path) {
    const auto over = std::filesystem::copy_options::overwrite_existing;
    std::filesystem::copy_file(from, path, over);
    std::filesystem::copy_file(head + ".head", path + ".head", over);
    for (const char* rest : {"-wal", "-shm"}) std::filesystem::remove(path + rest);
  }

  ScratchAudit scratch;
  /// The log before each of its calls: copy n has 2 n records.
  std::vector<std::string> older;
  std::string half;
  std::string whole;
};

struct Tampered {
  const Honest& honest;
  std::string path;
  std::minstd_rand random;

  std::int64_t seq() { return 1 + static_cast<std::int64_t>(random() % records); }
  store::Database open() const {
    store::Database database = must(store::Database::open(path, std::chrono::seconds(1)));
    // A copy that is thrown away need not survive a power loss.
    must(database.run_script("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY"));
    return database;
  }
  void run(std::string_view sql, store::Parameters parameters = {}) {
    store::Database database = open();
    must(database.run(sql, parameters));
  }
  std::string bytes_of(std::int64_t seq, const char* column) {
    std::string bytes;
    store::Database database = open();
    must(database.run(std::string("SELECT ") + column + " FROM audit WHERE seq = ?", {seq},
                      [&](const store::Row& row) { bytes = row.bytes(0); }));
    return bytes;
  }
};

/// One byte of a record or of its hash.
std::int64_t edit_bytes(Tampered& log) {
  const std::int64_t seq = log.seq();
  const char* column = log.random() % 2 == 0 ? "bytes" : "hash";
  std::string bytes = log.bytes_of(seq, column);
  bytes[log.random() % bytes.size()] ^= static_cast<char>(1 + log.random() % 255);
  log.run(std::string("UPDATE audit SET ") + column + " = ? WHERE seq = ?",
          {store::Bytes{bytes}, seq});
  return seq;
}

/// A column that records are searched by.
std::int64_t edit_column(Tampered& log) {
  const char* columns[] = {"org = 'other'", "at_us = at_us + 1", "kind = kind + 1"};
  const std::int64_t seq = log.seq();
  log.run(std::string("UPDATE audit SET ") + columns[log.random() % std::size(columns)] +
              " WHERE seq = ?",
          {seq});
  return seq;
}

std::int64_t remove_one(Tampered& log) {
  const std::int64_t seq = log.seq();
  log.run("DELETE FROM audit WHERE seq = ?", {seq});
  return seq;
}

/// With the numbers after it closed up, and the chain's end told to match.
std::int64_t remove_and_close_up(Tampered& log) {
  const std::int64_t seq = log.seq();
  log.run("DELETE FROM audit WHERE seq = ?", {seq});
  log.run("UPDATE audit SET seq = -(seq - 1) WHERE seq > ?", {seq});
  log.run("UPDATE audit SET seq = -seq WHERE seq < 0");
  if (seq == records) log.run("UPDATE audit_log SET seq = seq - 1");
  return seq;
}

/// A forged record with a hash that fits the one before.
std::int64_t insert_one(Tampered& log) {
  const std::int64_t seq = 1 + static_cast<std::int64_t>(log.random() % (records + 1));
  log.run("UPDATE audit SET seq = -(seq + 1) WHERE seq >= ?", {seq});
  log.run("UPDATE audit SET seq = -seq WHERE seq < 0");
  const std::string before = seq == 1 ? std::string(32, '\0') : log.bytes_of(seq - 1, "hash");
  const std::string bytes = base::encode_audit(fields_of(call_of("forged"), 1));
  const std::string hash = store::audit_hash(before, seq, bytes);
  log.run("INSERT INTO audit(seq, kind, at_us, bytes, hash, org) VALUES(?, 1, 1, ?, ?, 'acme')",
          {seq, store::Bytes{bytes}, store::Bytes{hash}});
  return seq;
}

std::int64_t swap_two(Tampered& log) {
  const std::int64_t a = log.seq();
  std::int64_t b = log.seq();
  while (b == a) b = log.seq();
  log.run("UPDATE audit SET seq = -1 WHERE seq = ?", {a});
  log.run("UPDATE audit SET seq = ? WHERE seq = ?", {a, b});
  log.run("UPDATE audit SET seq = ? WHERE seq = -1", {b});
  return std::min(a, b);
}

std::int64_t cut_tail(Tampered& log) {
  const std::int64_t seq = log.seq();
  log.run("DELETE FROM audit WHERE seq >= ?", {seq});
  // Half of them cover their tracks where they can: they have no key to sign with.
  if (log.random() % 2 == 0) {
    const std::string hash = seq == 1 ? std::string(32, '\0') : log.bytes_of(seq - 1, "hash");
    log.run("UPDATE audit_log SET seq = ?, hash = ?", {seq - 1, store::Bytes{hash}});
  }
  return seq;
}

/// All the hashes after an edit made anew: only the signature of the end knows, and says that.
std::int64_t rewrite(Tampered& log) {
  const std::int64_t from = log.seq();
  std::string hash = from == 1 ? std::string(32, '\0') : log.bytes_of(from - 1, "hash");
  for (std::int64_t seq = from; seq <= records; ++seq) {
    std::string bytes = log.bytes_of(seq, "bytes");
    if (seq == from) bytes = base::encode_audit(fields_of(call_of("rewritten"), 1));
    hash = store::audit_hash(hash, seq, bytes);
    log.run("UPDATE audit SET bytes = ?, hash = ? WHERE seq = ?",
            {store::Bytes{bytes}, store::Bytes{hash}, seq});
    if (seq == from) log.run("UPDATE audit SET kind = 1, at_us = 1 WHERE seq = ?", {seq});
  }
  log.run("UPDATE audit_log SET hash = ?", {store::Bytes{hash}});
  return records;
}

/// Under the newest head.
std::int64_t restore_old(Tampered& log) {
  const std::size_t at = log.random() % log.honest.older.size();
  Honest::put(log.honest.older[at], log.honest.whole, log.path);
  return static_cast<std::int64_t>(2 * at) + 1;
}

TEST_CASE("an honest log raises no alarm, at its end or behind which its head stands", "[audit]") {
  const Honest honest;
  const std::string path = honest.scratch.folder / "copy.db";
  Honest::put(honest.whole, honest.whole, path);
  store::Database database = must(store::Database::open(path, std::chrono::seconds(1)));
  CHECK(must(store::verify_audit(database, path, audit_key())).problem.empty());
  // Killed between a commit and its head.
  std::filesystem::copy_file(honest.half + ".head", path + ".head",
                             std::filesystem::copy_options::overwrite_existing);
  const AuditVerdict verdict = must(store::verify_audit(database, path, audit_key()));
  CHECK(verdict.problem.empty());
  CHECK(verdict.head.seq == records / 2);
  CHECK(verdict.last_seq == records);
}

TEST_CASE("random tampering is found and the first bad record named", "[audit]") {
  const Honest honest;
  const char* wanted = std::getenv("BYWAY_AUDIT_TAMPERINGS");
  const int rounds = wanted != nullptr ? std::atoi(wanted) : 400;
  using Tamper = std::int64_t (*)(Tampered&);
  constexpr Tamper ways[] = {edit_bytes, edit_column, remove_one, remove_and_close_up,
                             insert_one, swap_two,    cut_tail,   rewrite,
                             restore_old};
  int found = 0;
  int named = 0;
  for (int round = 0; round < rounds; ++round) {
    Tampered log{honest, honest.scratch.folder / "tampered.db",
                 std::minstd_rand(static_cast<unsigned>(round + 1))};
    Honest::put(honest.whole, honest.whole, log.path);
    const std::int64_t expected = ways[static_cast<std::size_t>(round) % std::size(ways)](log);
    store::Database database = log.open();
    const AuditVerdict verdict = must(store::verify_audit(database, log.path, audit_key()));
    found += verdict.problem.empty() ? 0 : 1;
    named += verdict.bad_seq == expected ? 1 : 0;
    if (verdict.bad_seq != expected) {
      CAPTURE(round, round % std::size(ways), expected, verdict.bad_seq, verdict.problem);
      CHECK(verdict.bad_seq == expected);
    }
  }
  CHECK(found == rounds);
  CHECK(named == rounds);
}

TEST_CASE("a call in flight that is taken off the list of open calls is found, and one put on it",
          "[audit]") {
  const ScratchAudit scratch;
  auto store = scratch.open_store();
  auto log = scratch.open_log(*store);
  must(log->begin(call_of("first"))).end(outcome_of("first"));
  AuditTicket open = must(log->begin(call_of("open")));
  must(log->work(*store));
  CHECK(scratch.verify().problem.empty());
  store::OpenedStore opened = scratch.database();
  // Nobody would write its end when its process dies.
  must(opened.database.run("DELETE FROM audit_open"));
  CHECK(scratch.verify().bad_seq == 3);
  must(opened.database.run("INSERT INTO audit_open VALUES('0', 2, 3)"));
  CHECK(scratch.verify().problem.empty());
  // Nor has a journal that is none an heir.
  must(opened.database.run("UPDATE audit_open SET journal = 'x'"));
  CHECK(scratch.verify().bad_seq == 3);
  must(opened.database.run("UPDATE audit_open SET journal = '0'"));
  must(opened.database.run("INSERT INTO audit_open VALUES('0', 9, 2)"));
  CHECK(scratch.verify().bad_seq == 2);
}

TEST_CASE("a journal's position that somebody moves stops the log: it would swallow what comes",
          "[audit]") {
  for (const char* change : {"next = 1000000", "next = 1", "dropped = 5"}) {
    const ScratchAudit scratch;
    auto store = scratch.open_store();
    auto log = scratch.open_log(*store);
    must(log->begin(call_of("before"))).end(outcome_of("before"));
    must(log->work(*store));
    store::OpenedStore opened = scratch.database();
    must(opened.database.run(std::string("UPDATE audit_journal SET ") + change));
    must(log->begin(call_of("after"))).end(outcome_of("after"));
    const auto worked = log->work(*store);
    REQUIRE_FALSE(worked);
    CHECK(worked.error().code() == ErrorCode::store_corrupt);
    CHECK_FALSE(log->begin(call_of("later")));
  }
}

TEST_CASE("an old copy under a newer head is found, and a head that is gone or foreign",
          "[audit]") {
  const Honest honest;
  const std::string path = honest.scratch.folder / "restored.db";
  Honest::put(honest.half, honest.whole, path);
  store::Database database = must(store::Database::open(path, std::chrono::seconds(1)));
  CHECK(must(store::verify_audit(database, path, audit_key())).bad_seq == records / 2 + 1);
  std::filesystem::remove(path + ".head");
  const AuditVerdict gone = must(store::verify_audit(database, path, audit_key()));
  CHECK(gone.problem.find("head is missing") != std::string::npos);
  store::write_file(path + ".head", store::bytes_of(honest.half + ".head") + " ");
  CHECK_FALSE(must(store::verify_audit(database, path, audit_key())).problem.empty());
  std::filesystem::copy_file(honest.half + ".head", path + ".head",
                             std::filesystem::copy_options::overwrite_existing);
  CHECK_FALSE(must(store::verify_audit(database, path, audit_key(8))).problem.empty());
  // The one thing that nobody but an anchor elsewhere can see: both of them old.
  CHECK(must(store::verify_audit(database, path, audit_key())).problem.empty());
}

TEST_CASE("a log that is emptied, with its head, gets no new one", "[audit]") {
  const Honest honest;
  const std::string path = honest.scratch.folder / "emptied.db";
  Honest::put(honest.whole, honest.whole, path);
  store::Database database = must(store::Database::open(path, std::chrono::seconds(1)));
  must(database.run_script("DELETE FROM audit; DELETE FROM audit_open; DELETE FROM audit_journal;"
                           "UPDATE audit_log SET seq = 0, hash = zeroblob(32), cut_seq = 0,"
                           " cut_hash = zeroblob(32), head = ''"));
  std::filesystem::remove(path + ".head");
  const auto alarm = [&] {
    return must(store::verify_audit(database, path, audit_key())).problem;
  };
  CHECK(alarm().find("head is missing") != std::string::npos);
  auto store = must(store::SqliteAudit::open(path, audit_key()));
  const std::string bytes = base::encode_audit(fields_of(call_of("later"), 1));
  const AuditItem item{0, -1, bytes};
  must(store->append("0", std::span(&item, 1), {1, 0}));
  must(store->publish_head());
  CHECK(alarm().find("head is missing") != std::string::npos);
}

TEST_CASE("a head that the log contradicts stays, so that the alarm does not end", "[audit]") {
  const Honest honest;
  const std::string path = honest.scratch.folder / "again.db";
  Honest::put(honest.half, honest.whole, path);
  auto store = must(store::SqliteAudit::open(path, audit_key()));
  const std::string bytes = base::encode_audit(fields_of(call_of("later"), 1));
  for (std::int64_t at = 0; at < records; ++at) {
    const AuditItem item{at, at, bytes};
    must(store->append("99", std::span(&item, 1), {at + 1, 0}));
    must(store->publish_head());
  }
  store.reset();
  store::Database database = must(store::Database::open(path, std::chrono::seconds(1)));
  const AuditVerdict verdict = must(store::verify_audit(database, path, audit_key()));
  CHECK(verdict.bad_seq == records);
  CHECK(verdict.head.line + "\n" == store::bytes_of(honest.whole + ".head"));
}

}  // namespace
}  // namespace byway::policy
