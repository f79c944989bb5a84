#include "registry/address_rules.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace byway::registry {
namespace {

enum class Kind : std::uint8_t {
  global,
  metadata,
  unusable,
  loopback,
  private_use,
  link_local,
  shared,
  tunnel,
  special,
};

/// A range and what it is; the first that holds an address counts.
struct Range {
  const char* network;
  int prefix_bits;
  Kind kind;
};

// Metadata services first: AWS (also ECS and EKS), Azure's wire server, Alibaba, Oracle, Tencent,
// Scaleway, Google, OpenStack. Then IANA's special-purpose registries for IPv4 and IPv6.
constexpr Range ranges_v4[] = {
    {"169.254.169.254", 32, Kind::metadata}, {"169.254.169.253", 32, Kind::metadata},
    {"169.254.170.2", 32, Kind::metadata},   {"169.254.170.23", 32, Kind::metadata},
    {"169.254.0.23", 32, Kind::metadata},    {"169.254.42.42", 32, Kind::metadata},
    {"168.63.129.16", 32, Kind::metadata},   {"100.100.100.200", 32, Kind::metadata},
    {"192.0.0.192", 32, Kind::metadata},     {"0.0.0.0", 8, Kind::unusable},
    {"10.0.0.0", 8, Kind::private_use},      {"100.64.0.0", 10, Kind::shared},
    {"127.0.0.0", 8, Kind::loopback},        {"169.254.0.0", 16, Kind::link_local},
    {"172.16.0.0", 12, Kind::private_use},   {"192.0.0.0", 24, Kind::special},
    {"192.0.2.0", 24, Kind::special},        {"192.88.99.0", 24, Kind::tunnel},
    {"192.168.0.0", 16, Kind::private_use},  {"198.18.0.0", 15, Kind::special},
    {"198.51.100.0", 24, Kind::special},     {"203.0.113.0", 24, Kind::special},
    {"224.0.0.0", 3, Kind::unusable},
};
constexpr Range ranges_v6[] = {
    {"fd00:ec2::254", 128, Kind::metadata},
    {"fd00:ec2::23", 128, Kind::metadata},
    {"fd20:ce::254", 128, Kind::metadata},
    {"fd00:42::42", 128, Kind::metadata},
    {"fe80::a9fe:a9fe", 128, Kind::metadata},
    {"::", 128, Kind::unusable},
    {"::1", 128, Kind::loopback},
    {"ff00::", 8, Kind::unusable},
    {"fe80::", 10, Kind::link_local},
    {"fc00::", 7, Kind::private_use},
    {"64:ff9b:1::", 48, Kind::tunnel},
    {"2002::", 16, Kind::tunnel},
    {"2001::", 32, Kind::tunnel},
    {"2001::", 23, Kind::special},
    {"2001:db8::", 32, Kind::special},
    {"3fff::", 20, Kind::special},
    {"2000::", 3, Kind::global},
    {"::", 0, Kind::special},
};

Address address_of_literal(const char* text) noexcept {
  Address address;
  address.is_v6 = std::strchr(text, ':') != nullptr;
  inet_pton(address.is_v6 ? AF_INET6 : AF_INET, text, address.bytes.data());
  return address;
}

bool share_prefix(const Address& a, const Address& b, int bits) noexcept {
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (std::memcmp(a.bytes.data(), b.bytes.data(), whole) != 0) return false;
  if (bits % 8 == 0) return true;
  return ((a.bytes[whole] ^ b.bytes[whole]) >> (8 - bits % 8)) == 0;
}

template <std::size_t Count>
struct Table {
  explicit Table(const Range (&ranges)[Count]) noexcept {
    for (std::size_t at = 0; at < Count; ++at) {
      cidrs[at] = Cidr{address_of_literal(ranges[at].network), ranges[at].prefix_bits};
      kinds[at] = ranges[at].kind;
    }
  }
  Kind of(const Address& address) const noexcept {
    for (std::size_t at = 0; at < Count; ++at) {
      if (cidrs[at].contains(address)) return kinds[at];
    }
    return Kind::global;
  }
  std::array<Cidr, Count> cidrs;
  std::array<Kind, Count> kinds;
};

Kind kind_of_plain(const Address& address) noexcept {
  static const Table table_v4(ranges_v4);
  static const Table table_v6(ranges_v6);
  return address.is_v6 ? table_v6.of(address) : table_v4.of(address);
}

using Octets = std::array<std::size_t, 4>;

Address inner(const Address& address, Octets at, std::uint8_t mask = 0) noexcept {
  Address v4;
  for (std::size_t octet = 0; octet < 4; ++octet) {
    v4.bytes[octet] = static_cast<std::uint8_t>(address.bytes[at[octet]] ^ mask);
  }
  return v4;
}

constexpr Octets last_four = {12, 13, 14, 15};

/// The IPv4 address that an IPv6 one stands for: ::ffff:0:0/96 (RFC 4291) and 64:ff9b::/96 (RFC
/// 6052).
Address unmapped(const Address& address) noexcept {
  if (!address.is_v6) return address;
  static const Cidr mapped{address_of_literal("::ffff:0:0"), 96};
  static const Cidr nat64{address_of_literal("64:ff9b::"), 96};
  if (mapped.contains(address) || nat64.contains(address)) return inner(address, last_four);
  return address;
}

/// Whether a tunnel address carries a metadata service: 6to4 (RFC 3056), Teredo's server and client
/// (RFC 4380, the client inverted), local NAT64 (RFC 8215) with the address where a /48 has it (RFC
/// 6052) or at the end.
bool carries_metadata(const Address& address) noexcept {
  const auto is_metadata = [](const Address& v4) { return kind_of_plain(v4) == Kind::metadata; };
  static const Cidr six_to_four{address_of_literal("2002::"), 16};
  static const Cidr teredo{address_of_literal("2001::"), 32};
  if (six_to_four.contains(address)) return is_metadata(inner(address, {2, 3, 4, 5}));
  if (teredo.contains(address)) {
    return is_metadata(inner(address, {4, 5, 6, 7})) ||
           is_metadata(inner(address, last_four, 0xff));
  }
  return is_metadata(inner(address, {6, 7, 9, 10})) || is_metadata(inner(address, last_four));
}

Kind kind_of(const Address& plain) noexcept {
  const Kind kind = kind_of_plain(plain);
  const bool is_carrier = plain.is_v6 && kind == Kind::tunnel;
  return is_carrier && carries_metadata(plain) ? Kind::metadata : kind;
}

bool ends_with_label(std::string_view host, std::string_view suffix) noexcept {
  return host.size() > suffix.size() && host.ends_with(suffix);
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) noexcept {
  char buffer[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof(buffer)) return {};
  if (text.find('\0') != std::string_view::npos) return {};
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  Address address;
  address.is_v6 = text.find(':') != std::string_view::npos;
  const int family = address.is_v6 ? AF_INET6 : AF_INET;
  if (inet_pton(family, buffer, address.bytes.data()) != 1) return {};
  return address;
}

std::optional<Address> address_of_bytes(std::string_view bytes) noexcept {
  if (bytes.size() != 4 && bytes.size() != 16) return {};
  Address address;
  address.is_v6 = bytes.size() == 16;
  std::memcpy(address.bytes.data(), bytes.data(), bytes.size());
  return address;
}

std::string to_text(const Address& address) {
  char buffer[INET6_ADDRSTRLEN] = "";
  inet_ntop(address.is_v6 ? AF_INET6 : AF_INET, address.bytes.data(), buffer, sizeof(buffer));
  return buffer;
}

bool Cidr::contains(const Address& address) const noexcept {
  return address.is_v6 == network.is_v6 && share_prefix(address, network, prefix_bits);
}

Result<Cidr> parse_cidr(std::string_view text) {
  const auto refuse = [&](const char* why) {
    ErrorFields fields{.code = ErrorCode::registry_field_invalid};
    fields.message = "allow_addresses: \"" + std::string(text.substr(0, 64)) + "\" " + why;
    fields.param = "allow_addresses";
    return Error(std::move(fields));
  };
  const std::size_t slash = text.find('/');
  const auto network = parse_address(text.substr(0, slash));
  if (!network) return refuse("is not a range such as 10.0.0.0/8 or fd12::/16");
  const int bits_max = network->is_v6 ? 128 : 32;
  Cidr cidr{*network, bits_max};
  if (slash == std::string_view::npos) return cidr;
  const std::string_view digits = text.substr(slash + 1);
  const bool is_number = !digits.empty() && digits.size() <= 3 &&
                         digits.find_first_not_of("0123456789") == std::string_view::npos &&
                         (digits.size() == 1 || digits[0] != '0');
  if (!is_number) return refuse("has no prefix length after the slash");
  cidr.prefix_bits = 0;
  for (const char digit : digits) cidr.prefix_bits = cidr.prefix_bits * 10 + (digit - '0');
  if (cidr.prefix_bits > bits_max) return refuse("has a prefix longer than the address");
  for (int bit = cidr.prefix_bits; bit < bits_max; ++bit) {
    const int byte = network->bytes[static_cast<std::size_t>(bit / 8)];
    if ((byte >> (7 - bit % 8) & 1) != 0) return refuse("has bits set after its prefix");
  }
  return cidr;
}

HostKind host_kind(std::string_view host) noexcept {
  if (const auto address = parse_address(host)) {
    return kind_of_plain(*address) == Kind::loopback ? HostKind::loopback : HostKind::ordinary;
  }
  if (host == "localhost" || ends_with_label(host, ".localhost")) return HostKind::loopback;
  return ends_with_label(host, ".local") ? HostKind::local : HostKind::ordinary;
}

bool is_metadata_name(std::string_view host) noexcept {
  constexpr std::string_view names[] = {"metadata",
                                        "metadata.google.internal",
                                        "metadata.goog",
                                        "instance-data",
                                        "instance-data.ec2.internal",
                                        "metadata.tencentyun.com",
                                        "metadata.internal",
                                        "metadata.azure.internal",
                                        "metadata.platformequinix.com",
                                        "metadata.oraclecloud.com"};
  return std::find(std::begin(names), std::end(names), host) != std::end(names);
}

AddressVerdict judge_address(const Address& address, HostKind kind,
                             std::span<const Cidr> allowed) noexcept {
  const Address plain = unmapped(address);
  const Kind found = kind_of(plain);
  if (found == Kind::metadata) return AddressVerdict::metadata;
  if (found == Kind::unusable) return AddressVerdict::unusable;
  const bool is_listed = std::any_of(allowed.begin(), allowed.end(), [&](const Cidr& cidr) {
    return cidr.contains(plain) || cidr.contains(address);
  });
  if (is_listed) return AddressVerdict::allowed;
  const bool is_near = found == Kind::loopback || found == Kind::private_use;
  const bool is_allowed = kind == HostKind::loopback ? found == Kind::loopback
                          : kind == HostKind::local  ? found == Kind::global || is_near
                                                     : found == Kind::global;
  return is_allowed ? AddressVerdict::allowed : AddressVerdict::not_public;
}

std::string_view describe(const Address& address) noexcept {
  switch (kind_of(unmapped(address))) {
    case Kind::global: return {};
    case Kind::metadata: return "a cloud metadata service";
    case Kind::unusable: return "an unspecified, multicast or reserved address";
    case Kind::loopback: return "a loopback address";
    case Kind::private_use: return "a private address";
    case Kind::link_local: return "a link-local address";
    case Kind::shared: return "a shared address (RFC 6598)";
    case Kind::tunnel: return "a tunnel address";
    case Kind::special: return "an address set apart (IANA special-purpose)";
  }
  return {};
}

}  // namespace byway::registry
