// byway audit: what was called and changed, and whether the log is still what was written.
#include <CLI/CLI.hpp>
#include <memory>

#include <byway/admin.hpp>

#include "cli/commands.hpp"
#include "cli/file_text.hpp"
#include "cli/global_options.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"

namespace byway::cli {
namespace {

std::string who_of(const AuditRecord& record) {
  if (record.kind == AuditKind::gap) return "";
  return record.actor.empty() ? "owner" : record.actor;
}

std::string what_of(const AuditRecord& record) {
  switch (record.kind) {
    case AuditKind::change: return record.action + " " + record.subject;
    case AuditKind::gap: return std::to_string(record.count) + " records found no room";
    case AuditKind::cut: return "pruned up to " + std::to_string(record.count);
    default: break;
  }
  return record.operation + " " + record.model +
         (record.action.empty() ? "" : ": " + record.action) +
         (record.cause.empty() ? "" : " (" + record.cause + ")");
}

/// "2027-01-31T00:00:00Z", which to_json() has already.
std::string time_of(const std::string& json) {
  const std::size_t at = json.find("\"at\":\"");
  return at == std::string::npos ? "" : json.substr(at + 6, 20);
}

int tail(const Admin& admin, std::int64_t count, const GlobalOptions& globals) {
  const auto records = admin.audit_tail(count);
  if (!records) return report_failed(records.error(), globals);
  if (globals.is_json) {
    for (const AuditRecord& record : *records) print(to_json(record) + "\n");
    return exit_done;
  }
  std::vector<std::vector<std::string>> rows = {{"SEQ", "AT", "KIND", "WHO", "WHAT", "REQUEST"}};
  for (const AuditRecord& record : *records) {
    rows.push_back({std::to_string(record.seq), time_of(to_json(record)),
                    std::string(name_of(record.kind)), who_of(record), one_line(what_of(record)),
                    record.request_id});
  }
  print(table(rows));
  return exit_done;
}

std::string json_of(const AuditVerdict& verdict) {
  return Json()
      .flag("ok", verdict.problem.empty())
      .text_or_null("problem", verdict.problem)
      .number("bad_seq", verdict.bad_seq)
      .number("records", verdict.records)
      .number("first_seq", verdict.first_seq)
      .number("last_seq", verdict.last_seq)
      .number("head_seq", verdict.head.seq)
      .text_or_null("head", verdict.head.line)
      .str();
}

int verify(const Admin& admin, const GlobalOptions& globals) {
  const auto verdict = admin.audit_verify();
  if (!verdict) return report_failed(verdict.error(), globals);
  if (globals.is_json) print(json_of(*verdict) + "\n");
  if (!verdict->problem.empty()) {
    if (!globals.is_json) report(Error(ErrorCode::store_audit_broken, verdict->problem), false);
    return exit_failed;
  }
  if (!globals.is_json) {
    print("the log is good: records " + std::to_string(verdict->first_seq) + " to " +
          std::to_string(verdict->last_seq) + ", signed up to " +
          std::to_string(verdict->head.seq) + "\n");
  }
  return exit_done;
}

int accept(Admin& admin, const GlobalOptions& globals) {
  const auto accepted = admin.audit_accept();
  if (!accepted) return report_failed(accepted.error(), globals);
  print(globals.is_json ? Json().flag("accepted", true).str() + "\n"
                        : "the log is signed as it is, and says so\n");
  return exit_done;
}

int write_lines(const Admin& admin, const AuditSpan& span, const GlobalOptions& globals) {
  const auto done = admin.audit_export(
      span, [](std::string_view line) { return print(std::string(line) + "\n"); });
  if (!done) return report_failed(done.error(), globals);
  return is_output_good() ? exit_done : exit_failed;
}

void add_tail(CLI::App& audit, GlobalOptions& globals) {
  CLI::App* command = audit.add_subcommand("tail", "Show the newest records");
  auto count = std::make_shared<std::int64_t>(20);
  command->add_option("-n,--count", *count, "How many [20]")->type_name("N");
  command->footer("With --json one object on a line.\n\nExample:\n  byway audit tail -n 100");
  command->callback([&globals, count] {
    globals.exit_code =
        with_admin(globals, [&](Admin& admin) { return tail(admin, *count, globals); });
  });
}

void add_export(CLI::App& audit, GlobalOptions& globals) {
  CLI::App* command = audit.add_subcommand("export", "Write records as JSON lines");
  auto span = std::make_shared<AuditSpan>();
  command->add_option("--since", span->since, "From this date or RFC 3339 time on")->type_name("T");
  command->add_option("--until", span->until, "Up to this time, itself not included")
      ->type_name("T");
  command->footer(
      "To standard output, oldest first. What is empty or 0 is left out.\n"
      "\nExample:\n  byway audit export --since 2027-01-01 > audit.jsonl");
  command->callback([&globals, span] {
    globals.exit_code =
        with_admin(globals, [&](Admin& admin) { return write_lines(admin, *span, globals); });
  });
}

}  // namespace

void add_audit(CLI::App& app, GlobalOptions& globals) {
  CLI::App* command = app.add_subcommand("audit", "What was called and changed");
  command->require_subcommand(1);
  command->footer(
      "Records of the org of --org, or of the one that --key belongs to; verify reads all.\n"
      "\nExamples:\n  byway audit tail\n  byway audit verify\n"
      "  byway audit export --since 2027-01-01 > audit.jsonl");
  add_tail(*command, globals);
  CLI::App* verifying = command->add_subcommand("verify", "Find whatever was done to the log");
  verifying->footer(
      "Names the first record that was edited, inserted, removed, moved or cut off, and exits\n"
      "with 1. An old store together with its old head is found only through an anchor kept\n"
      "elsewhere: compare `head` of --json.");
  verifying->callback([&globals] {
    globals.exit_code = with_admin(globals, [&](Admin& admin) { return verify(admin, globals); });
  });
  add_export(*command, globals);
  CLI::App* accepting = command->add_subcommand("accept", "Sign the log as it is after a restore");
  accepting->footer("What verify says is recorded in the log first. The owner's alone.");
  accepting->callback([&globals] {
    globals.exit_code = with_admin(globals, [&](Admin& admin) { return accept(admin, globals); });
  });
}

}  // namespace byway::cli
