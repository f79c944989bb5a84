// Every transcript of tests/wire/transcripts, through the command and through Router, over real
// sockets, as written and cut in every other way.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "wire/player/callers.hpp"
#include "wire/player/record_checks.hpp"

using namespace byway::wire_player;

namespace {

constexpr int random_ways = 20;
const std::string transcripts = BYWAY_SOURCE_DIR "/tests/wire/transcripts";

class Folder {
 public:
  Folder() { path_ = ::mkdtemp(path_.data()); }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string path() const { return path_; }

 private:
  std::string path_ = std::filesystem::temp_directory_path() / "byway-wire-XXXXXX";
};

using Caller = Called (*)(const Run&, Player&, const std::string&);

/// Plays one run in one way and says what was not as expected.
std::vector<std::string> faults_of(const Run& run, Player& player, const std::string& way,
                                   Caller caller, const std::string& ca_file) {
  static const Folder folder;
  const std::string play = run.name + ":" + way;
  const std::string file = folder.path() + "/" + run.slug() + ".toml";
  std::ofstream(file) << registry_text(run, player, play, ca_file);
  const int strays_before = player.strays();
  const Called called = caller(run, player, file);
  const Seen seen = player.take_seen(play);
  if (!called.problem.empty() || called.records.empty()) return {"no call: " + called.problem};
  std::vector<std::string> faults = seen.faults;
  for (std::string& fault : check_record(run.expected, called.records.back())) {
    faults.push_back(std::move(fault));
  }
  const auto expect = [&](bool is_right, const std::string& what) {
    if (!is_right) faults.push_back(what);
  };
  int attempts = 0;
  for (const std::string& record : called.records) attempts += attempts_of(record);
  const int requests = run.expected.requests.value_or(attempts);
  expect(seen.requests == requests,
         std::to_string(seen.requests) + " requests were seen, not " + std::to_string(requests));
  const int connections = run.expected.connections.value_or(seen.connections);
  expect(seen.connections == connections, std::to_string(seen.connections) + " connections");
  expect(player.strays() == strays_before, "a request went where the redirect pointed");
  expect(called.is_closed, "the connection was not closed in time");
  expect(!run.expected.within || called.time < *run.expected.within, "it took too long");
  expect(!run.expected.first_token_max || called.first_token < *run.expected.first_token_max,
         "the first delta came late");
  for (const std::string& record : called.records) {
    expect(record.find(upstream_key) == std::string::npos, "the record has the key");
  }
  return faults;
}

void play_all(const std::vector<std::string>& ways, Caller caller, bool is_command,
              const std::shared_ptr<const byway::testing_support::Authority>& tls = {}) {
  ::setenv("WIRE_KEY", upstream_key, 1);
  // One transcript alone: WIRE_ONLY=T22 wire_player_tests
  const char* only = std::getenv("WIRE_ONLY");
  Player player(read_folder(transcripts), {.tls = tls});
  for (const Run& run : player.runs()) {
    if (only != nullptr && !run.name.starts_with(only)) continue;
    if (is_command && run.is_library_only) continue;
    for (const std::string& way : ways) {
      if (run.is_timed && way != "written") continue;
      for (const std::string& fault :
           faults_of(run, player, way, caller, tls ? tls->ca_file() : std::string())) {
        FAIL_CHECK(run.name << " (" << way << "): " << fault);
      }
    }
    SUCCEED(run.name);
  }
}

}  // namespace

TEST_CASE("byway call --record prints what each transcript expects") {
  play_all({"written"}, call_command, true);
}

TEST_CASE("each transcript comes to the same as written, in one write and byte by byte") {
  play_all({"written", "one", "bytes"}, call_router, false);
}

TEST_CASE("each transcript comes to the same in random splits") {
  std::vector<std::string> ways;
  for (int seed = 1; seed <= random_ways; ++seed) ways.push_back("random" + std::to_string(seed));
  play_all(ways, call_router, false);
}

TEST_CASE("each transcript comes to the same over TLS") {
  play_all({"written"}, call_router, false,
           std::make_shared<const byway::testing_support::Authority>());
}
