// ErrorWords: what an error says, whatever its shape.
#pragma once

#include <string>
#include <string_view>

namespace byway::wire {

/// The parts of an error that mean something; empty or 0 where it does not tell.
struct ErrorWords {
  /// Whether the text has the shape of an error at all: a non-null `error`, or `object` "error", or
  /// one of the shapes S3 to S12 of wire.md 1.4.
  bool is_error = false;
  /// Whether it says so itself (`error`, or `object` "error"), so that nothing beside it counts.
  bool is_outright = false;
  /// As the server wrote it, neither cut nor scrubbed.
  std::string message = {};
  std::string code = {};
  std::string type = {};
  /// 400 to 599, from inside the error.
  int status = 0;
  /// It tells why the prompt was flagged (OpenRouter).
  bool is_moderation = false;
  bool is_json = false;
};

/// Reads an error out of JSON in any of the shapes S1 to S12, an event stream that holds one, plain
/// text or HTML (S9, then only `message` is set).
ErrorWords read_error(std::string_view body);

/// At most `bytes_max` bytes of valid UTF-8 on one line, white space collapsed, control characters
/// gone; of HTML the title or the first words.
std::string scrubbed(std::string_view text, std::size_t bytes_max);

bool looks_like_html(std::string_view text) noexcept;

}  // namespace byway::wire
