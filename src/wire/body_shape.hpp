// Whether a body is one JSON text or a stream of events.
#pragma once

#include <cstdint>
#include <string_view>

namespace byway::wire {

enum class BodyShape : std::uint8_t { unknown, whole, events };

/// Judged by the first bytes that say something, and only failing these by the content type: some
/// servers answer JSON as text/event-stream and events as application/json (T48, T49). `unknown`
/// while there is only white space or a byte order mark; ask again with more, or take it for
/// `whole` at the end. An error status is always `whole`: judge_whole() reads framed errors (I16).
BodyShape body_shape(int status, std::string_view content_type, std::string_view first_bytes);

}  // namespace byway::wire
