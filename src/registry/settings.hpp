// Settings: whether an endpoint's settings mean something that Byway can keep.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <byway/endpoint.hpp>
#include <byway/result.hpp>

#include "registry/address_rules.hpp"
#include "registry/base_url.hpp"
#include "wire/dialect.hpp"

namespace byway::registry {

/// What checked settings stand for.
struct CheckedSettings {
  BaseUrl base_url;
  /// Absent without a proxy.
  std::optional<BaseUrl> proxy;
  std::vector<Cidr> allow_addresses;
  std::shared_ptr<const wire::Dialect> dialect;
  /// What was changed or may surprise, for people.
  std::vector<std::string> warnings;
};

/// Checks every field. Codes: registry_slug_invalid, registry_url_invalid, registry_url_insecure,
/// net_ssrf_blocked, request_header_invalid, request_header_reserved, registry_field_invalid, the
/// field as the error's param.
Result<CheckedSettings> check_settings(const EndpointSettings& settings);

/// Lower-case letters, digits, '.', '_' and '-', 1 to 64 of them, a letter or digit first.
bool is_org(std::string_view text) noexcept;

}  // namespace byway::registry
