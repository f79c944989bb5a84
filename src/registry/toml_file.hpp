// TomlFile: the registry as text, for people, version control and backups.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <byway/alias.hpp>
#include <byway/endpoint.hpp>
#include <byway/result.hpp>

namespace byway::registry {

enum class KeyOrigin : std::uint8_t { none, environment, file, sealed };

/// Where a file says that a key is; never the key.
struct FileKey {
  KeyOrigin origin = KeyOrigin::none;
  /// A variable's name, a path, or sealed bytes.
  std::string text = {};
  /// The place a sealed key is bound to, besides org, slug and origin.
  std::string record_id = {};
  std::uint64_t generation = 0;
  bool operator==(const FileKey&) const = default;
};

/// One [[endpoint]]; its base_url and settings have passed check_settings().
struct FileEndpoint {
  EndpointSettings settings = {};
  FileKey key = {};
  /// Where it stands, for messages.
  std::uint32_t line = 0;
  std::uint32_t key_line = 0;
  std::vector<std::string> warnings = {};
};

/// What a file says.
struct FileRegistry {
  std::vector<FileEndpoint> endpoints = {};
  /// Each has passed check_alias().
  std::vector<Alias> aliases = {};
};

/// Reads
///
///     [org]
///     name = "local"            # of every endpoint that names none itself
///     [[endpoint]]
///     slug = "my-vllm"          # and every field of fields.hpp
///     base_url = "https://models.example/v1"
///     key = "env:VLLM_KEY"      # or "file:PATH", or "sealed:<base64>" with key_record_id and
///     timeouts.stall_ms = 5000  # key_generation
///     headers = ["X-Team: a"]   # or a table
///     [[alias]]
///     name = "fast"
///     models = ["byo:my-vllm/m=3", "byo:spare/m=1"]  # with weights, or without
///     require = ["chat"]
///
/// Strict: names given twice, unknown names, wrong types and a slug or alias given twice are
/// refused. The error names `file_name`, line and field, and never quotes a value of `key`. Codes:
/// registry_invalid_file, its reason being the code of what is wrong inside; registry_needs_store
/// for a cap, which needs durable counters.
Result<FileRegistry> parse_registry(std::string_view toml, std::string_view file_name);

/// registry_invalid_file at a line; `field` may be empty.
Error file_invalid(std::string_view file_name, std::uint32_t line, std::string_view field,
                   std::string_view message, std::string_view reason = {});

/// Text that parse_registry() reads back to the same.
std::string write_registry(const FileRegistry& registry);

}  // namespace byway::registry
