// Scratch: a folder, child processes and rows for the store's tests.
#pragma once

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <system_error>

#include "store/registry_store.hpp"

namespace byway::store {

/// A fresh folder, removed with all that is in it.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "byway-store-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no scratch folder");
    path_ = name;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Starts `body` in a forked child, which ends with what it returns. Nothing of the store may be
/// open at the time.
template <class Body>
pid_t start_child(Body body) {
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) {
    int status = 99;
    try {
      status = body();
    } catch (...) {
    }
    ::_exit(status);
  }
  return child;
}

/// The exit status of a child, or minus the signal that ended it.
inline int end_of(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

template <class Body>
int run_in_child(Body body) {
  return end_of(start_child(body));
}

inline std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// What a file is, so that any touch shows.
struct FileState {
  std::string bytes;
  std::array<long, 4> times{};
  bool operator==(const FileState&) const = default;
};

inline FileState state_of(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return {};
  return {
      bytes_of(path),
      {found.st_mtim.tv_sec, found.st_mtim.tv_nsec, found.st_ctim.tv_sec, found.st_ctim.tv_nsec}};
}

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return std::move(*result);
}

inline void must(Result<void> result) {
  if (!result) throw std::runtime_error(result.error().message());
}

inline EndpointRow endpoint_row(const std::string& id, const std::string& slug) {
  EndpointRow row;
  row.id = id;
  row.org = "local";
  row.slug = slug;
  row.origin = "https://models.example:443";
  row.settings = R"({"slug":")" + slug + "\"}";
  row.created_at = row.updated_at = "2025-01-01T00:00:00Z";
  return row;
}

inline SealedKeyRow key_row(const std::string& endpoint_id, std::uint64_t generation = 1) {
  SealedKeyRow row;
  row.endpoint_id = endpoint_id;
  row.field = "key";
  row.record_id = "rec-" + endpoint_id + "-" + std::to_string(generation);
  row.generation = generation;
  row.master_key_version = 1;
  row.preview = "sk-a...";
  row.sealed = "sealed-1-" + row.record_id + std::string(120, '\x01');
  return row;
}

inline MasterKeyRow master_row(MasterKeyState state) {
  MasterKeyRow row;
  row.kek_id = std::string("kek\0id", 6) + std::string(10, 'x');
  row.state = state;
  row.check_record = std::string("check\0", 6);
  return row;
}

/// A store with one active master key.
inline RegistryStore make_store(const std::string& path) {
  RegistryStore store = must(RegistryStore::create(path));
  must(store.insert_master_key(master_row(MasterKeyState::active)));
  return store;
}

}  // namespace byway::store
