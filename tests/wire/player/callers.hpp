// Two ways to make a transcript's calls: through Router in this process, and through the command.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "wire/player/player.hpp"

namespace byway::wire_player {

/// What came of the calls of one run.
struct Called {
  /// One call record for each call.
  std::vector<std::string> records = {};
  /// Of the last call.
  std::chrono::nanoseconds time = {};
  std::chrono::nanoseconds first_token = {};
  /// Whether the server saw its connections closed in time, where that was asked.
  bool is_closed = true;
  std::string problem = {};
};

/// The upstream key of runs with `key`; set into the environment as WIRE_KEY.
inline constexpr const char* upstream_key = "sk-wire-canary-7d2f9c41aa05";

/// The registry file for one play.
std::string registry_text(const Run& run, const Player& player, const std::string& play,
                          const std::string& ca_file);

Called call_router(const Run& run, Player& player, const std::string& registry_file);
Called call_command(const Run& run, Player& player, const std::string& registry_file);

}  // namespace byway::wire_player
