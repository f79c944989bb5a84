// Output: what the command writes, checked, and how it ends.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <byway/error.hpp>

namespace byway::cli {

/// The exit codes of the command.
enum Exit : int { exit_done = 0, exit_failed = 1, exit_usage = 2, exit_unusable = 3 };
/// What a shell expects of a program that Ctrl-C ended.
constexpr int exit_interrupted = 130;

/// Writes all of it to standard output. False once the reader has gone away or the disk is full;
/// nothing is written from then on.
bool print(std::string_view text);
/// Whether every print() so far arrived.
bool is_output_good() noexcept;
/// For people: standard error, failures ignored.
void note(std::string_view text);

bool is_terminal(int fd) noexcept;
/// Whether to colour what goes to `fd`: a terminal, unless NO_COLOR is set.
bool has_colour(int fd) noexcept;
/// `text` in faint letters where the descriptor has colour.
std::string faint(std::string_view text, int fd);

/// Text from elsewhere on one line, without control characters, so that it cannot move a terminal.
std::string one_line(std::string_view text);
/// The same with line feeds and tabs kept.
std::string plain(std::string_view text);

/// "byway: <code>: <message>", or the error object as JSON, on standard error.
void report(const Error& error, bool is_json);
/// The same for a mistake in how the command was used; its code is "usage".
int report_usage(std::string_view message, bool is_json);

/// What to exit with after this error: 2 for a bad value, 3 when store, vault or configuration
/// cannot be used, else 1.
int exit_code_of(const Error& error) noexcept;

/// Rows of "name value", the names padded to one width. An empty value leaves the row out.
std::string aligned(const std::vector<std::pair<std::string, std::string>>& rows);
/// A table with a head row and columns padded to their widest cell.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace byway::cli
