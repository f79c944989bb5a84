// ScratchRouter: a router over one endpoint that is not registered anywhere yet.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include <byway/endpoint.hpp>
#include <byway/result.hpp>
#include <byway/router.hpp>

#include "cli/interrupt.hpp"

namespace byway::cli {

/// Keeps a store in a temporary folder of this user alone, which goes with this object and when
/// Ctrl-C ends the process. The key is sealed there under a master key that is random and is held
/// in memory only: what a crash leaves behind opens nothing (docs/design/0001-probe.md).
class ScratchRouter {
 public:
  /// Codes: those of create_store(), Router::open() and Admin::add_endpoint().
  static Result<ScratchRouter> open(const EndpointSettings& settings,
                                    std::optional<std::string_view> key);

  Router& router() noexcept { return *router_; }

 private:
  class Folder;

  ScratchRouter() = default;

  // In this order: the router goes before its files do.
  std::shared_ptr<Folder> folder_;
  std::unique_ptr<Interrupt> interrupt_;
  std::optional<Router> router_;
};

}  // namespace byway::cli
