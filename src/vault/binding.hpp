// Binding: the place a sealed key belongs to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace byway::vault {

/// A sealed key opens only with the binding it was sealed with, so it is worthless anywhere else.
/// The views live as long as their owner.
struct Binding {
  std::string_view org = {};
  std::string_view slug = {};
  /// Scheme, host and port of the base URL.
  std::string_view origin = {};
  /// "key", or the name of another secret setting.
  std::string_view field = {};
  std::string_view record_id = {};
  std::uint64_t generation = 0;
};

/// The bytes AES-GCM authenticates with the secret: a type, a length and a value per field, never a
/// joined string (safety P06). `kek_version` makes the one header field that nothing else checks
/// part of it. Replaces what `out` held.
void encode_binding(const Binding& binding, std::uint32_t kek_version, std::string& out);

}  // namespace byway::vault
