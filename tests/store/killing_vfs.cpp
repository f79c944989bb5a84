#include "store/killing_vfs.hpp"

#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

#include <map>
#include <memory>

namespace byway::store {
namespace {

int writes_left = 0;
sqlite3_vfs* real = nullptr;

/// The real methods of each kind of file, and the same with writes counted.
struct Methods {
  const sqlite3_io_methods* real;
  sqlite3_io_methods counted;
};

std::map<const sqlite3_io_methods*, std::unique_ptr<Methods>>& all_methods() {
  static std::map<const sqlite3_io_methods*, std::unique_ptr<Methods>> methods;
  return methods;
}

const sqlite3_io_methods& real_methods(sqlite3_file* file) {
  for (const auto& entry : all_methods()) {
    if (file->pMethods == &entry.second->counted) return *entry.second->real;
  }
  return *file->pMethods;
}

void count() {
  if (--writes_left == 0) ::kill(::getpid(), SIGKILL);
}

int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
  count();
  return real_methods(file).xWrite(file, bytes, size, at);
}

int sync(sqlite3_file* file, int flags) {
  count();
  return real_methods(file).xSync(file, flags);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  count();
  return real_methods(file).xTruncate(file, size);
}

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int status = real->xOpen(real, name, file, flags, out_flags);
  if (status != SQLITE_OK || file->pMethods == nullptr) return status;
  std::unique_ptr<Methods>& methods = all_methods()[file->pMethods];
  if (!methods) {
    methods = std::make_unique<Methods>(Methods{file->pMethods, *file->pMethods});
    methods->counted.xWrite = write;
    methods->counted.xSync = sync;
    methods->counted.xTruncate = truncate;
  }
  file->pMethods = &methods->counted;
  return status;
}

}  // namespace

void kill_at_write(int n) {
  static sqlite3_vfs killing;
  writes_left = n;
  real = sqlite3_vfs_find(nullptr);
  killing = *real;
  killing.zName = "killing";
  killing.xOpen = open;
  sqlite3_vfs_register(&killing, 1);
}

}  // namespace byway::store
