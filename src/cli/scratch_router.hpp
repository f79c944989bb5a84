// ScratchRouter: a router over one endpoint that is not registered anywhere yet.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <byway/endpoint.hpp>
#include <byway/result.hpp>
#include <byway/router.hpp>

namespace byway::cli {

/// Keeps a store in a temporary folder of this user alone. The key is sealed there under a master
/// key that is random, is held in memory only and is gone with this object: what a crash leaves
/// behind opens nothing (docs/design/0001-probe.md).
class ScratchRouter {
 public:
  /// Codes: those of create_store(), Router::open() and Admin::add_endpoint().
  static Result<ScratchRouter> open(const EndpointSettings& settings,
                                    std::optional<std::string_view> key);
  ScratchRouter(ScratchRouter&&) noexcept = default;
  ScratchRouter& operator=(ScratchRouter&&) = delete;
  ~ScratchRouter();

  Router& router() noexcept { return *router_; }
  /// What Interrupt may call: takes the folder away, whatever state it is in.
  void remove_files() noexcept;

 private:
  class Folder {
   public:
    Folder() = default;
    explicit Folder(std::string path) : path_(std::move(path)) {}
    Folder(Folder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    Folder& operator=(Folder&& other) noexcept {
      std::swap(path_, other.path_);
      return *this;
    }
    ~Folder() { remove(); }
    const std::string& path() const noexcept { return path_; }
    void remove() noexcept {
      std::error_code ignored;
      if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }

   private:
    std::string path_;
  };

  ScratchRouter() = default;

  Folder folder_;
  std::optional<Router> router_;
};

}  // namespace byway::cli
