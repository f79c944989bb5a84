// The texts of dialects/*.json, compiled in.
#pragma once

#include <span>
#include <string_view>

namespace byway::wire {

struct DialectText {
  std::string_view name;
  std::string_view json;
};

/// Sorted by name. Made by dialects.cmake.
std::span<const DialectText> dialect_texts() noexcept;

}  // namespace byway::wire
