// Whole files in and out.
#pragma once

#include <string>

#include <byway/result.hpp>

namespace byway::cli {

/// Everything in a file, or on standard input for "-". Code: store_io_error.
Result<std::string> read_text(const std::string& path);

/// Replaces or makes a file, readable by this user alone, whole or not at all. Code:
/// store_io_error.
Result<void> write_text(const std::string& path, const std::string& text);

}  // namespace byway::cli
