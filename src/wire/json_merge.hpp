// Merges one JSON object into another, as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "wire/json_cursor.hpp"

namespace byway::wire {

/// Appends the object `base` with the object `over` merged in: where both have a member, two
/// objects merge in turn and anything else becomes `over`'s. What `over` does not touch keeps its
/// bytes; new members come last. Both must be valid JSON objects.
void append_merged(std::string& out, std::string_view base, std::string_view over);

/// The value of the first member of that name of the object `text`; empty for none.
std::string_view member_of(std::string_view text, const JsonString& name);
std::string_view member_of(std::string_view text, std::string_view name);

/// The first name that stands twice in one object of `text`, at any level. `text` must be valid
/// JSON.
std::optional<std::string> name_given_twice(std::string_view text);

}  // namespace byway::wire
