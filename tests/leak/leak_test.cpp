// A canary key is looked for where it must never be: the store's files, and a core dump taken
// during a call.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "contract/script_server.hpp"
#include "router/rig.hpp"

using namespace byway;
using namespace byway::testing;

namespace {

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

/// A child whose first line of output has been read.
struct Child {
  pid_t pid = -1;
  std::string line;

  Child(const std::string& program, const std::string& argument) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    pid = ::fork();
    if (pid == 0) {
      ::dup2(ends[1], 1);
      ::close(ends[0]);
      ::close(ends[1]);
      ::execl(program.c_str(), program.c_str(), argument.c_str(), static_cast<char*>(nullptr));
      ::_exit(127);
    }
    ::close(ends[1]);
    char byte;
    while (::read(ends[0], &byte, 1) == 1 && byte != '\n') line += byte;
    ::close(ends[0]);
  }
  Child(const Child&) = delete;
  ~Child() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
};

std::string make_store(const TemporaryFolder& folder, const std::string& base_url) {
  const std::string path = folder.file("byway.db");
  auto created = create_store({.path = path});
  if (!created) FAIL(created.error().message());
  auto router = Router::open({.store = path, .require_key = false});
  if (!router) FAIL(router.error().message());
  EndpointSettings settings;
  settings.slug = "leaky";
  settings.base_url = base_url;
  auto added = router->admin_as_owner().add_endpoint(settings, canary_key);
  if (!added) FAIL(added.error().message());
  CHECK(added->endpoint.key_preview == "sk-c...");
  return path;
}

}  // namespace

TEST_CASE("an upstream key is in no file of the store and in no core dump taken during a call") {
  if (std::system("gcore --help >/dev/null 2>&1") != 0 &&
      std::system("command -v gcore >/dev/null 2>&1") != 0) {
    WARN("skipped: gcore is not installed (package gdb)");
    return;
  }
  contract::ScriptServer server;
  for (int i = 0; i < 3; ++i) {
    server.script({SendHead{200, {{"content-type", "application/json"}}}, SendBody{reply_text("x")},
                   Finish{}});
  }
  Script held = stream_script({hello_events()[0], hello_events()[1]}, false);
  held.emplace_back(Hold{});
  server.script(held);
  TemporaryFolder folder;
  const std::string store = make_store(folder, server.url());
  Child child(std::string(BYWAY_BIN_DIR) + "/leak_program", store);
  REQUIRE(child.line == "streaming");

  const std::string dump =
      "gcore -o " + folder.file("core") + " " + std::to_string(child.pid) + " >/dev/null 2>&1";
  REQUIRE(std::system(dump.c_str()) == 0);
  const std::string core = bytes_of(folder.file("core") + "." + std::to_string(child.pid));
  REQUIRE(core.size() > 100'000);
  // The dump is a dump: what is no secret is in it.
  CHECK(core.find("plain-marker-in-a-prompt") != std::string::npos);
  CHECK(core.find(canary_key) == std::string::npos);

  // The server did get the key, or there was nothing to find.
  REQUIRE(server.requests().size() == 4);
  for (const auto& request : server.requests()) CHECK(request.has_secret);

  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(store).parent_path())) {
    if (entry.path().filename().string().starts_with("core")) continue;
    INFO(entry.path().filename().string());
    CHECK(bytes_of(entry.path()).find(canary_key) == std::string::npos);
  }
}
