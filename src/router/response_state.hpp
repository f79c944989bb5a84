// Response::State: what a Response holds.
#pragma once

#include <string>

#include <byway/request.hpp>
#include <byway/response.hpp>

#include "router/kept_head.hpp"

namespace byway {

struct Response::State {
  Operation operation = Operation::chat;
  std::string body = {};
  router::KeptHead head = {};
  Reply reply = {};
  /// Whether `reply` was read from the body, or folded from a stream, already.
  bool is_read = false;
  Metadata metadata = {};
};

}  // namespace byway
