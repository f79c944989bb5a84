#include "cli/output.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "cli/json.hpp"

namespace byway::cli {
namespace {

bool output_is_good = true;

bool write_all(int fd, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

/// How many columns a text takes, near enough: code points.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

void pad(std::string& out, std::string_view cell, std::size_t width) {
  out.append(cell).append(width - std::min(width, width_of(cell)), ' ');
}

std::string without_controls(std::string_view text, std::string_view kept) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    // U+0080 to U+009F are controls too; in UTF-8 they are C2 80 to C2 9F.
    const bool is_c1 =
        byte == 0xc2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0;
    const bool is_control = byte < 0x20 || byte == 0x7f || is_c1;
    out += is_control && kept.find(text[at]) == std::string_view::npos ? ' ' : text[at];
    if (is_c1) ++at;
  }
  return out;
}

}  // namespace

bool print(std::string_view text) {
  if (!output_is_good || write_all(STDOUT_FILENO, text)) return output_is_good;
  output_is_good = false;
  // A reader that has seen enough, as in `byway ... | head`, is no news.
  if (errno != EPIPE) note("byway: output: standard output cannot be written\n");
  return false;
}

bool is_output_good() noexcept {
  return output_is_good;
}

void note(std::string_view text) {
  static_cast<void>(write_all(STDERR_FILENO, text));
}

bool is_terminal(int fd) noexcept {
  return ::isatty(fd) == 1;
}

bool has_colour(int fd) noexcept {
  const char* no_colour = std::getenv("NO_COLOR");
  return is_terminal(fd) && (no_colour == nullptr || *no_colour == '\0');
}

std::string faint(std::string_view text, int fd) {
  if (!has_colour(fd)) return std::string(text);
  return "\x1b[2m" + std::string(text) + "\x1b[0m";
}

std::string one_line(std::string_view text) {
  return without_controls(text, "");
}

std::string plain(std::string_view text) {
  return without_controls(text, "\n\t");
}

void report(const Error& error, bool is_json) {
  if (is_json) return note(error.json() + "\n");
  note("byway: " + std::string(error.name()) + ": " + one_line(error.message()) + "\n");
}

int report_usage(std::string_view message, bool is_json) {
  const std::string line = one_line(message);
  if (is_json) {
    Json inner;
    inner.text("message", line).text("type", "invalid_request_error").null("param");
    note(Json().raw("error", inner.text("code", "usage").str()).str() + "\n");
  } else {
    note("byway: usage: " + line + "\n");
  }
  return exit_usage;
}

int exit_code_of(const Error& error) noexcept {
  switch (error.code()) {
    case ErrorCode::registry_slug_invalid:
    case ErrorCode::registry_url_invalid:
    case ErrorCode::registry_url_insecure:
    case ErrorCode::registry_field_invalid:
    case ErrorCode::net_ssrf_blocked:
    case ErrorCode::vault_secret_invalid: return exit_usage;
    case ErrorCode::vault_no_change:
    case ErrorCode::vault_origin_changed:
    case ErrorCode::vault_version_in_use: return exit_failed;
    case ErrorCode::registry_invalid_file:
    case ErrorCode::registry_needs_store:
    case ErrorCode::registry_read_only: return exit_unusable;
    default: break;
  }
  const int group = static_cast<int>(error.code()) / 100;
  return group == 10 || group == 13 ? exit_unusable : exit_failed;
}

std::string aligned(const std::vector<std::pair<std::string, std::string>>& rows) {
  std::size_t width = 0;
  for (const auto& [name, value] : rows) {
    if (!value.empty()) width = std::max(width, name.size());
  }
  std::string out;
  for (const auto& [name, value] : rows) {
    if (value.empty()) continue;
    pad(out, name, width + 2);
    out.append(one_line(value)).append("\n");
  }
  return out;
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(one_line(row[i])));
    }
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) pad(line, one_line(row[i]), widths[i] + 2);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace byway::cli
