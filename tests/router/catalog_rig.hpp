// A store or a registry file in a folder of its own, for tests of catalog and administration.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <byway/admin.hpp>

#include "catch.hpp"
#include "router/catalog.hpp"
#include "store/registry_store.hpp"

namespace byway::router {

inline constexpr std::string_view canary = "sk-canary-7f3a9b2c4d5e6f708192a3b4c5d6e7f8";

template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "ok" : std::string(result.error().name());
}

template <class T>
T must(Result<T> result) {
  if (!result) FAIL(result.error().name() << ": " << result.error().message());
  return *std::move(result);
}
inline void must(const Result<void>& result) {
  if (!result) FAIL(result.error().name() << ": " << result.error().message());
}

inline std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// What on_notice heard.
class Notices {
 public:
  std::function<void(const Error&)> hear() {
    return [heard = heard_](const Error& error) {
      const std::lock_guard lock(heard->mutex);
      heard->errors.push_back(error);
    };
  }
  std::vector<Error> all() const {
    const std::lock_guard lock(heard_->mutex);
    return heard_->errors;
  }

 private:
  struct Heard {
    std::mutex mutex;
    std::vector<Error> errors;
  };
  std::shared_ptr<Heard> heard_ = std::make_shared<Heard>();
};

class CatalogFolder {
 public:
  CatalogFolder() : CatalogFolder(std::filesystem::temp_directory_path()) {}
  explicit CatalogFolder(const std::filesystem::path& parent) {
    ::unsetenv("BYWAY_MASTER_KEY");
    std::string name = (parent / "byway-catalog-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  CatalogFolder(const CatalogFolder&) = delete;
  ~CatalogFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  std::string store() const { return path_ + "/byway.db"; }
  std::string write(const std::string& name, const std::string& text, int mode = 0600) const {
    const std::string file = path_ + "/" + name;
    std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
    std::filesystem::permissions(file, static_cast<std::filesystem::perms>(mode));
    return file;
  }
  /// Whether any file of the folder holds the text.
  bool holds(std::string_view text) const {
    for (const auto& file : std::filesystem::recursive_directory_iterator(path_)) {
      if (bytes_of(file.path().string()).find(text) != std::string::npos) return true;
    }
    return false;
  }

 private:
  std::string path_;
};

/// Looks only when poll() is called: tests do not wait.
inline CatalogOptions still(CatalogOptions options) {
  options.period = std::chrono::hours(1);
  return options;
}

inline std::shared_ptr<Catalog> open_catalog(CatalogOptions options) {
  return must(Catalog::open(still(std::move(options))));
}

inline KeySource key_of(char fill) {
  return KeySource::callback(
      [fill]() -> Result<Secret> { return Secret::copy_of(std::string(32, fill)); });
}

inline EndpointSettings settings_of(const std::string& slug) {
  EndpointSettings settings;
  settings.slug = slug;
  settings.base_url = "https://models.example/v1";
  return settings;
}

/// The header line that a call would send, or the error's name.
inline std::string line_of(const Catalog& catalog, const std::string& slug) {
  const auto snapshot = catalog.snapshots().current();
  const auto& entry = snapshot->find("local", slug);
  if (!entry) return "absent";
  if (!entry->open_key) return "no key";
  Secret line;
  const auto opened = entry->open_key(line);
  if (!opened) return std::string(opened.error().name());
  return std::string(line.expose_secret());
}

/// How a forked child ended: its status, or minus its signal.
template <class Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    int status = 99;
    try {
      status = body();
    } catch (...) {
    }
    ::_exit(status);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace byway::router
