#include "cli/did_you_mean.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <numeric>
#include <string_view>
#include <vector>

namespace byway::cli {
namespace {

/// Letters to add, drop or change (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string did_you_mean(const CLI::App& app, int count, char** arguments) {
  const CLI::App* level = &app;
  for (int i = 1; i < count; ++i) {
    const std::string word = arguments[i];
    if (word.starts_with('-')) {
      // What follows may be the option's value, which is no command.
      const CLI::Option* option = app.get_option_no_throw(word);
      if (option != nullptr && option->get_items_expected_max() > 0) ++i;
      continue;
    }
    const auto commands = level->get_subcommands([](const CLI::App*) { return true; });
    if (commands.empty()) return "";
    std::string nearest;
    std::size_t best = 3;
    const CLI::App* found = nullptr;
    for (const CLI::App* command : commands) {
      if (command->get_name() == word) found = command;
      const std::size_t apart = distance(word, command->get_name());
      if (apart >= best || apart >= word.size()) continue;
      best = apart;
      nearest = command->get_name();
    }
    if (found == nullptr) {
      return "there is no command `" + word + "`" +
             (nearest.empty() ? "" : ", did you mean `" + nearest + "`?");
    }
    level = found;
  }
  return "";
}

}  // namespace byway::cli
