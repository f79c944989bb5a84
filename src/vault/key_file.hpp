// Files that hold keys: who may own them, who may read them, how they are made.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <byway/result.hpp>
#include <byway/secret.hpp>

namespace byway::vault {

/// The whole content, read straight into protected memory. The file must be a regular file of this
/// user or root, closed to group and others, reached without a symbolic link in its last part; all
/// is checked on the descriptor that is read, and a FIFO does not block. Codes: vault_no_key when
/// there is none, vault_file_permissions, vault_key_format when it holds more than `bytes_max`.
Result<Secret> read_private_file(const std::string& path, std::size_t bytes_max);

/// A new file of mode 0600 with `content`, durable when this returns; nothing is left after an
/// error. Codes: store_exists, store_disk_full, store_io_error.
Result<void> write_private_file(const std::string& path, std::string_view content);

}  // namespace byway::vault
