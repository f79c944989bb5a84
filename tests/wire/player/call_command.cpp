// Calls through the command, as a person does.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>

#include "wire/player/callers.hpp"

extern char** environ;

namespace byway::wire_player {
namespace {

/// Runs a program and gives what it wrote to standard output.
std::string output_of(const std::vector<std::string>& words) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int fault =
      ::posix_spawn(&child, words[0].c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::string text;
  std::array<char, 65536> bytes;
  ssize_t count = 0;
  while (fault == 0 && (count = ::read(ends[0], bytes.data(), bytes.size())) > 0) {
    text.append(bytes.data(), static_cast<std::size_t>(count));
  }
  ::close(ends[0]);
  if (fault == 0) ::waitpid(child, nullptr, 0);
  return text;
}

}  // namespace

std::string registry_text(const Run& run, const Player& player, const std::string& play,
                          const std::string& ca_file) {
  std::string text = "[[endpoint]]\nslug = \"" + run.slug() + "\"\n";
  text += "base_url = \"" + player.url(run.endpoint.base) + "\"\n";
  const std::string quote = run.endpoint.dialect.starts_with('{') ? "'" : "\"";
  text += "dialect = " + quote + run.endpoint.dialect + quote + "\n";
  text += "headers = [\"x-wire: " + play + "\"]\n";
  if (run.endpoint.has_key) text += "key = \"env:WIRE_KEY\"\n";
  if (!ca_file.empty()) text += "ca_file = \"" + ca_file + "\"\n";
  for (const std::string& line : run.endpoint.lines) text += line + "\n";
  return text;
}

Called call_command(const Run& run, Player&, const std::string& registry_file) {
  const std::string body_file = registry_file + ".json";
  std::ofstream(body_file) << body_of(run);
  std::string model = "byo:" + run.slug();
  const bool is_models = run.call.value("op") == "models";
  if (!is_models) model += "/" + run.call.model;
  std::vector<std::string> words = {
      BYWAY_BIN_DIR "/byway", "--registry", registry_file, "call", "--record", "--model", model};
  if (!is_models) words.insert(words.end(), {"--body", body_file});
  for (const auto& [name, value] : run.call.options) {
    words.push_back("--" + name);
    if (!value.empty()) words.push_back(value);
  }
  Called called;
  const auto begun = std::chrono::steady_clock::now();
  called.records.push_back(output_of(words));
  called.time = std::chrono::steady_clock::now() - begun;
  return called;
}

}  // namespace byway::wire_player
