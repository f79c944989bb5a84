// AliasRules: what an alias may be, and how it is kept.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <byway/alias.hpp>
#include <byway/result.hpp>

namespace byway::registry {

inline constexpr std::size_t alias_model_bytes_max = 1024;

/// [a-z0-9][a-z0-9._-]{0,63}.
bool is_alias_name(std::string_view text) noexcept;

/// Code: registry_field_invalid, "name", "models" or "require" as the error's param.
Result<void> check_alias(const Alias& alias);

/// "byo:a/m" or "byo:a/m=3" as the command line and files write it; what follows the last '=' is
/// the weight. Code: registry_field_invalid.
Result<AliasModel> alias_model_from_text(std::string_view text);
/// The other way; no weight is left out.
std::string to_text(const AliasModel& model);

/// Models and tags as JSON.
std::string to_json(const Alias& alias);
/// Fills in models and tags. Code: registry_field_invalid.
Result<void> read_alias_json(Alias& alias, std::string_view json);

}  // namespace byway::registry
