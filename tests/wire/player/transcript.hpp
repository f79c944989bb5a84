// Transcript: what a server says and what must come of it, read from one `.wire` file.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/loopback_server.hpp"

namespace byway::wire_player {

using testing_support::Action;
using testing_support::SeenRequest;

/// One thing that must hold for a request.
struct RequestCheck {
  enum class Kind : unsigned char { header, no_header, json_has, json_lacks };
  Kind kind = Kind::header;
  /// The header's name, or a JSON pointer.
  std::string name = {};
  std::string value = {};
};

/// One request and what is said to it.
struct Exchange {
  /// Empty matches all.
  std::string method = {};
  std::string path = {};
  std::vector<RequestCheck> checks = {};
  std::vector<Action> answer = {};
};

struct Connection {
  std::vector<Exchange> exchanges = {};
  /// `conn N+`: every later connection goes the same way.
  bool is_for_later = false;
};

/// A number in the record that depends on the clock.
struct RecordRange {
  std::string pointer = {};
  double least = 0;
  double most = 0;
};

/// What must come of the last call, and what must have been seen.
struct Expected {
  /// JSON objects: every member they name must be in the record, with that value.
  std::vector<std::string> records = {};
  std::vector<std::string> notes = {};
  std::vector<RecordRange> ranges = {};
  /// Bytes that a text of the record may have at most, by pointer.
  std::vector<std::pair<std::string, std::size_t>> lengths = {};
  /// Text that must not be in the record.
  std::vector<std::string> lacks = {};
  /// By default as many as the calls say they made.
  std::optional<int> requests = {};
  std::optional<int> connections = {};
  /// The server must see its connection closed so soon after the result.
  std::optional<std::chrono::milliseconds> close_within = {};
  std::optional<std::chrono::milliseconds> within = {};
  std::optional<std::chrono::milliseconds> first_token_max = {};
};

/// How to call: the words after `call`, which are the options of `byway call` without dashes.
struct CallPlan {
  std::vector<std::pair<std::string, std::string>> options = {};
  std::string model = "m1";
  std::string body = {};
  std::size_t body_bytes = 0;
  int calls = 1;
  /// The next call waits until the server has closed the connection.
  bool waits_for_close = false;
  bool is_cancelled = false;
  /// RouterOptions::event_bytes_max, when it is not the default.
  int event_bytes = 0;
  /// What the application's token source gives, one after the other, the last one for good.
  std::vector<std::string> tokens = {};

  bool has(std::string_view name) const noexcept;
  std::string_view value(std::string_view name, std::string_view otherwise = {}) const noexcept;
};

struct EndpointPlan {
  std::string base = "/v1";
  std::string dialect = "generic";
  bool has_key = false;
  /// Further lines of the registry file.
  std::vector<std::string> lines = {};
};

struct Run {
  /// "T60.auth", or "T22" where the file has but one.
  std::string name = {};
  EndpointPlan endpoint = {};
  CallPlan call = {};
  std::vector<Connection> connections = {};
  Expected expected = {};
  /// Time is the point of it: played as written only.
  bool is_timed = false;
  /// Several calls, or a look that the command does not give: not through the command.
  bool is_library_only = false;

  std::string slug() const;
};

/// The request's body; empty for models.
std::string body_of(const Run& run);

/// Reads a file's text; `name` is the file's without ".wire". Throws std::runtime_error that names
/// the line.
std::vector<Run> read_transcript(std::string_view name, std::string_view text);

/// All runs of all files of a folder, by name.
std::vector<Run> read_folder(const std::string& folder);

/// The macros of wire.md 4.1 within `text`.
std::string expand_macros(std::string_view text);
/// A list of quoted texts, `ev`, `D`, bare macros and N*item, as the actions take it.
std::string read_items(std::string_view text);

}  // namespace byway::wire_player
