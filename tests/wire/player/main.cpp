// wire-player: plays a folder of transcripts on a loopback port until it is told to end.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "wire/player/player.hpp"
#include "wire/player/run_list.hpp"

namespace {

int usage() {
  std::fputs(
      "wire-player --dir FOLDER [--port N] [--tls] [--list]\n\n"
      "Plays the .wire files of FOLDER: http://127.0.0.1:PORT/T22/v1 plays T22.wire, and so does\n"
      "any path with the header `x-wire: T22`. T60.auth is one run of a file, T22:bytes one way\n"
      "(written, one, bytes, random7). Ends on SIGINT or SIGTERM, with 1 when a request was not\n"
      "as expected. --list plays nothing and prints the runs, a JSON object on a line each.\n",
      stderr);
  return 2;
}

int play(const std::string& folder, byway::wire_player::PlayerOptions options) {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  byway::wire_player::Player player(byway::wire_player::read_folder(folder), options);
  std::printf("%zu runs at %s\n", player.runs().size(), player.url("/").c_str());
  if (options.tls) std::printf("authority %s\n", options.tls->ca_file().c_str());
  std::fflush(stdout);
  int signal = 0;
  ::sigwait(&ending, &signal);
  std::printf("%d connections where a redirect pointed\n", player.strays());
  const auto faults = player.faults();
  for (const std::string& fault : faults) std::printf("%s\n", fault.c_str());
  return faults.empty() ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  std::string folder;
  bool is_list = false;
  byway::wire_player::PlayerOptions options{.repeats = true};
  try {
    for (int at = 1; at < count; ++at) {
      const std::string_view word = arguments[at];
      if (word == "--tls")
        options.tls = std::make_shared<byway::testing_support::Authority>();
      else if (word == "--list")
        is_list = true;
      else if (word == "--dir" && at + 1 < count)
        folder = arguments[++at];
      else if (word == "--port" && at + 1 < count)
        options.port = std::atoi(arguments[++at]);
      else
        return usage();
    }
    if (folder.empty()) return usage();
    if (!is_list) return play(folder, options);
    std::fputs(byway::wire_player::run_list(byway::wire_player::read_folder(folder)).c_str(),
               stdout);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "wire-player: %s\n", error.what());
    return 1;
  }
}
