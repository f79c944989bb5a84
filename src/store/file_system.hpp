// File system: where a store may live, and how it comes to be there for good.
#pragma once

#include <string>
#include <string_view>

#include <byway/result.hpp>

namespace byway::store {

/// The folder of a path; "." when it names none.
std::string folder_of(std::string_view path);

/// Refuses network file systems, whose locks and shared mappings do not hold between hosts, and a
/// folder that is not there. Code: store_io_error.
Result<void> check_file_system(const std::string& path);
/// The rule of check_file_system: `type` is what statfs says of a file system; NFS, SMB, CIFS and
/// FUSE are refused.
bool is_network_file_system(long type) noexcept;

/// Whether there is anything at the path.
bool has_file(const std::string& path) noexcept;
/// Makes an empty file, mode 0600. Code: store_io_error.
Result<void> make_file(const std::string& path);
/// Makes the names in the path's folder durable. Code: store_io_error.
Result<void> sync_folder(const std::string& path);

}  // namespace byway::store
