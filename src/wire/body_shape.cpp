#include "wire/body_shape.hpp"

#include "wire/ascii.hpp"

namespace byway::wire {
namespace {

/// The begin of a field line or a comment; `error` is llama.cpp's of 2025.
bool begins_event(std::string_view bytes) noexcept {
  if (bytes.starts_with(':')) return true;
  for (const std::string_view field : {"data", "event", "id", "retry", "error"}) {
    if (bytes.starts_with(field)) return true;
    // Cut inside the field's name: no JSON text begins with these letters either.
    if (field.starts_with(bytes)) return true;
  }
  return false;
}

}  // namespace

BodyShape body_shape(int status, std::string_view content_type, std::string_view first_bytes) {
  if (status >= 300 || (status != 0 && status < 200)) return BodyShape::whole;
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (first_bytes.starts_with(byte_order_mark)) first_bytes.remove_prefix(byte_order_mark.size());
  while (!first_bytes.empty() && is_ascii_space(first_bytes.front())) first_bytes.remove_prefix(1);
  if (first_bytes.empty() || byte_order_mark.starts_with(first_bytes)) return BodyShape::unknown;
  if (first_bytes.front() == '{' || first_bytes.front() == '[') return BodyShape::whole;
  if (begins_event(first_bytes)) return BodyShape::events;
  return begins_with_lower(content_type, "text/event-stream") ? BodyShape::events
                                                              : BodyShape::whole;
}

}  // namespace byway::wire
