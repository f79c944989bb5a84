// byway usage: sums over calls.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include <byway/admin.hpp>

#include "cli/commands.hpp"
#include "cli/global_options.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"

namespace byway::cli {
namespace {

struct UsageOptions {
  std::vector<std::string> by = {};
  AuditSpan span = {};
  bool is_csv = false;
};

constexpr UsageGroup groups[] = {UsageGroup::key, UsageGroup::endpoint, UsageGroup::model,
                                 UsageGroup::day, UsageGroup::purpose};

using Number = std::pair<const char*, std::int64_t>;

std::vector<Number> numbers_of(const UsageRow& row) {
  return {{"calls", row.calls},
          {"succeeded", row.succeeded},
          {"in_doubt", row.in_doubt},
          {"input_tokens", row.input_tokens},
          {"output_tokens", row.output_tokens},
          {"cached_tokens", row.cached_tokens},
          {"reasoning_tokens", row.reasoning_tokens},
          {"estimated", row.estimated},
          {"nano_dollars", row.nano_dollars}};
}

void add_numbers(Json& json, const UsageRow& row) {
  for (const auto& [name, number] : numbers_of(row)) json.number(name, number);
}

std::string json_of(const UsageReport& report, const std::vector<UsageGroup>& by) {
  const auto row_json = [&](const UsageRow& row) {
    Json json;
    for (std::size_t at = 0; at < by.size(); ++at) json.text(name_of(by[at]), row.group[at]);
    add_numbers(json, row);
    return json.str();
  };
  Json upstream;
  add_numbers(upstream, report.upstream);
  Json platform;
  for (const PurposeCalls& calls : report.platform) {
    platform.number(calls.purpose.empty() ? "none" : calls.purpose, calls.calls);
  }
  return Json()
      .raw("rows", json_list(report.rows, row_json))
      .raw("upstream", upstream.str())
      .raw("platform", platform.str())
      .text("billing", "upstream")
      .str();
}

/// A cell as RFC 4180 writes it; one that a spreadsheet would take for a formula is made text.
std::string csv_cell(std::string text) {
  if (!text.empty() && std::string_view("=+-@").find(text.front()) != std::string_view::npos) {
    text.insert(0, "'");
  }
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text)
    quoted += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return quoted + "\"";
}

std::vector<std::vector<std::string>> cells_of(const UsageReport& report,
                                               const std::vector<UsageGroup>& by) {
  std::vector<std::vector<std::string>> rows(1);
  for (const UsageGroup group : by) rows[0].emplace_back(name_of(group));
  for (const auto& [name, number] : numbers_of(UsageRow())) rows[0].emplace_back(name);
  for (const UsageRow& row : report.rows) {
    std::vector<std::string>& cells = rows.emplace_back(row.group);
    for (const auto& [name, number] : numbers_of(row)) cells.push_back(std::to_string(number));
  }
  return rows;
}

std::string csv_of(const std::vector<std::vector<std::string>>& rows) {
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t at = 0; at < row.size(); ++at) {
      text += (at == 0 ? "" : ",") + csv_cell(row[at]);
    }
    text += "\r\n";
  }
  return text;
}

void describe(const UsageReport& report, std::vector<std::vector<std::string>> rows) {
  for (auto& row : rows) {
    for (std::string& cell : row) cell = one_line(cell);
  }
  print(table(rows));
  print("\nBilled by the upstreams: " + std::to_string(report.upstream.input_tokens) +
        " tokens in, " + std::to_string(report.upstream.output_tokens) + " out\nCalls by purpose:");
  for (const PurposeCalls& calls : report.platform) {
    print(" " + one_line(calls.purpose) + " " + std::to_string(calls.calls));
  }
  print("\n");
}

int show(const Admin& admin, const UsageOptions& options, const GlobalOptions& globals) {
  UsageQuery query{.by = {}, .span = options.span};
  for (const std::string& name : options.by) {
    const auto* group = std::find_if(std::begin(groups), std::end(groups),
                                     [&](UsageGroup known) { return name_of(known) == name; });
    if (group == std::end(groups)) {
      return report_usage("--by takes key, endpoint, model, day and purpose", globals.is_json);
    }
    query.by.push_back(*group);
  }
  const auto report = admin.usage(query);
  if (!report) return report_failed(report.error(), globals);
  if (globals.is_json) {
    print(json_of(*report, query.by) + "\n");
  } else if (options.is_csv) {
    print(csv_of(cells_of(*report, query.by)));
  } else {
    describe(*report, cells_of(*report, query.by));
  }
  return exit_done;
}

int prune(Admin& admin, const std::string& before, const GlobalOptions& globals) {
  const auto pruned = admin.usage_prune(before);
  if (!pruned) return report_failed(pruned.error(), globals);
  print(globals.is_json
            ? Json().number("records", pruned->records).number("seq", pruned->seq).str() + "\n"
            : "pruned " + std::to_string(pruned->records) + " records\n");
  return exit_done;
}

}  // namespace

void add_usage(CLI::App& app, GlobalOptions& globals) {
  CLI::App* command = app.add_subcommand("usage", "Sum up calls and tokens");
  command->require_subcommand(0, 1);
  auto options = std::make_shared<UsageOptions>();
  command->add_option("--by", options->by, "key, endpoint, model, day, purpose; with commas")
      ->delimiter(',')
      ->type_name("GROUPS");
  command->add_option("--since", options->span.since, "From this date or RFC 3339 time on")
      ->type_name("T");
  command->add_option("--until", options->span.until, "Up to this time, itself not included")
      ->type_name("T");
  command->add_flag("--csv", options->is_csv, "Write CSV");
  command->footer(
      "Calls are counted when they end, refused ones too. Tokens are what upstreams bill; calls "
      "by\n"
      "purpose are your own platform's work, and the two are never mixed.\n"
      "\nExamples:\n  byway usage --by key,day --since 2027-01-01\n"
      "  byway usage prune --before 2026-01-01");
  CLI::App* pruning = command->add_subcommand("prune", "Remove old records from usage and audit");
  auto before = std::make_shared<std::string>();
  pruning->add_option("--before", *before, "Remove what is older than this date or time")
      ->type_name("T")
      ->required();
  pruning->footer(
      "Of all orgs; the log says that it was pruned, and goes on to verify. Usage and audit are\n"
      "one log: byway audit export first what is to be kept. The owner's alone.");
  pruning->callback([&globals, before] {
    globals.exit_code =
        with_admin(globals, [&](Admin& admin) { return prune(admin, *before, globals); });
  });
  command->callback([&globals, options, pruning] {
    if (pruning->parsed()) return;
    globals.exit_code =
        with_admin(globals, [&](Admin& admin) { return show(admin, *options, globals); });
  });
}

}  // namespace byway::cli
