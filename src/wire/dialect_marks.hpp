// DialectMarks: what a server gives away about its kind, and the dialect that it points to.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace byway::wire {

/// Where a mark is looked for: the end of the URL's host, anywhere in its path, `owned_by` of a
/// listed model, or the value of an answer's header (an empty text: that the header is there).
enum class MarkPlace : std::uint8_t { host_end, path_part, owned_by, header };

/// One row of the table that proposals are made from. Data: a new kind of server is a new row.
struct DialectMark {
  std::string_view dialect;
  MarkPlace place;
  /// The header's name; empty elsewhere.
  std::string_view name;
  std::string_view text;
};

/// In the order in which they are tried.
std::span<const DialectMark> dialect_marks() noexcept;

/// What was seen of a server.
struct ServerTraits {
  std::string_view base_url = {};
  std::span<const std::string> owned_by = {};
  /// The value of a header of some answer, by lower-case name; absent when no answer had it.
  std::function<std::optional<std::string_view>(std::string_view name)> header = {};
};

/// The first row that fits; null for none. *Safe from any thread.*
const DialectMark* matching_mark(const ServerTraits& traits);

/// What the row saw, for people: "owned_by vllm", "host api.together.xyz", "header server".
std::string describe(const DialectMark& mark);

}  // namespace byway::wire
