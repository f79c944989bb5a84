// BaseUrl: which URLs an endpoint may have, and their canonical origin.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <byway/result.hpp>

#include "registry/address_rules.hpp"

namespace byway::registry {

struct UrlRules {
  /// Plain http to hosts that are neither loopback nor *.local.
  bool allow_insecure_http = false;
  std::span<const Cidr> allow_addresses = {};
};

struct BaseUrl {
  /// As given, but for the case of the scheme, trailing slashes of the path, an empty query, and a
  /// pasted operation path.
  std::string text = {};
  /// "https" or "http".
  std::string scheme = {};
  /// Lower case; an IPv6 address in canonical form without brackets.
  std::string host = {};
  std::uint16_t port = 0;
  /// "https://host:port": canonical, the port always said, IPv6 in brackets.
  std::string origin = {};
  HostKind kind = HostKind::ordinary;
  /// What was changed, for people.
  std::vector<std::string> warnings = {};
};

/// Accepts a strict grammar of our own (visible ASCII; no userinfo, fragment, backslash, percent in
/// the host, trailing dot, empty label, odd spelling of a number) and of that only what curl reads
/// the same way, so that the judged host is the dialled one. It is a part of what the WHATWG URL
/// standard accepts. Numeric hosts are judged here, names at each connect. Codes:
/// registry_url_invalid, registry_url_insecure, net_ssrf_blocked. Messages hold host and port at
/// most: what was pasted may hold a key.
Result<BaseUrl> parse_base_url(std::string_view text, const UrlRules& rules = {});

}  // namespace byway::registry
