// Address rules: which addresses an endpoint may be at, judged on the bytes that are dialled.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <byway/result.hpp>

namespace byway::registry {

/// An IPv4 or IPv6 address: four or sixteen bytes in network order.
struct Address {
  std::array<std::uint8_t, 16> bytes = {};
  bool is_v6 = false;
  bool operator==(const Address&) const = default;
};

/// Canonical dotted decimal, or IPv6 without brackets and zone; nothing else that resolvers take
/// ("127.1", "0x7f.1").
std::optional<Address> parse_address(std::string_view text) noexcept;
/// From 4 or 16 bytes in network order, as a sockaddr holds them; nothing for another size.
std::optional<Address> address_of_bytes(std::string_view bytes) noexcept;
/// Canonical text: dotted decimal, or RFC 5952.
std::string to_text(const Address& address);

/// A range such as "10.0.0.0/8" or "fd12::/16".
struct Cidr {
  Address network = {};
  int prefix_bits = 0;
  bool contains(const Address& address) const noexcept;
  bool operator==(const Cidr&) const = default;
};

/// A network and the length of its prefix, no bits set after it; an address alone is a range of
/// one. Code: registry_field_invalid.
Result<Cidr> parse_cidr(std::string_view text);

/// What a URL's host says about where it may be (decisions section 7).
enum class HostKind : std::uint8_t {
  /// Public addresses only.
  ordinary,
  /// 127.0.0.0/8, ::1, "localhost", "*.localhost" (RFC 6761): loopback addresses only.
  loopback,
  /// "*.local" (RFC 6762): private and loopback addresses too.
  local,
};

/// Of a name in lower case, or of a numeric address without brackets.
HostKind host_kind(std::string_view host) noexcept;

/// Names under which clouds serve credentials to whoever asks from inside.
bool is_metadata_name(std::string_view host) noexcept;

enum class AddressVerdict : std::uint8_t {
  allowed,
  /// A metadata service; no setting allows it.
  metadata,
  /// Not one host's unicast address: unspecified, multicast, broadcast, reserved. No setting allows
  /// it.
  unusable,
  /// Loopback, private, link-local, shared, a tunnel, documentation, benchmarking: allowed only
  /// inside the endpoint's allow_addresses.
  not_public,
};

/// Only global unicast is allowed, but for what `kind` and `allowed` add. IPv4 inside IPv6
/// (::ffff:0:0/96, NAT64 64:ff9b::/96) is judged as the IPv4 address; tunnels (6to4, Teredo,
/// 64:ff9b:1::/48) are never public, whatever they carry, and metadata when they carry that
/// (safety.md 7.3).
AddressVerdict judge_address(const Address& address, HostKind kind,
                             std::span<const Cidr> allowed) noexcept;

/// "a metadata service", "a loopback address", ...: for messages; empty for a public one.
std::string_view describe(const Address& address) noexcept;

}  // namespace byway::registry
