// A real model server as a child process on a free port of this machine, ended by its process id.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace byway::real {

/// Whether the packages can be had; the reason when not.
std::optional<std::string> why_unavailable();

/// llama.cpp's server by tests/real/start_llama; SIGTERM and a wait on destruction.
class LlamaServer {
 public:
  explicit LlamaServer(std::vector<std::string> options = {});
  LlamaServer(const LlamaServer&) = delete;
  ~LlamaServer();

  int port() const noexcept { return port_; }
  std::string base_url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }
  /// Plain GET without Byway; the status, 0 when there is no connection.
  int get(const std::string& path, std::string* body = nullptr) const;
  bool wait_until_healthy(std::chrono::seconds limit) const;
  /// Slots that are busy now, from /slots; -1 when it cannot be told.
  int busy_slots() const;

 private:
  int port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace byway::real
