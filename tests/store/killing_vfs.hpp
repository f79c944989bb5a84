// Killing VFS: SQLite's file layer, ending the process at a chosen write.
#pragma once

namespace byway::store {

/// From now on the n-th write, sync or truncation of this process, counted from 1, is not done:
/// the process ends by SIGKILL in its place. Once per process.
void kill_at_write(int n);

}  // namespace byway::store
