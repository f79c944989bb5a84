// Which addresses an endpoint may be at: a table of rows, after those of Stripe's smokescreen and
// Symfony's NoPrivateNetworkHttpClient (safety.md 7.1), and the clouds' metadata services.
#include "catch.hpp"

#include "registry/address_rules.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <string>
#include <vector>

namespace byway::registry {
namespace {

using Verdict = AddressVerdict;

Address address(const std::string& text) {
  INFO(text);
  const auto parsed = parse_address(text);
  REQUIRE(parsed);
  return *parsed;
}

std::vector<Cidr> ranges(std::initializer_list<const char*> texts) {
  std::vector<Cidr> cidrs;
  for (const char* text : texts) cidrs.push_back(parse_cidr(text).value());
  return cidrs;
}

struct Row {
  const char* text;
  Verdict verdict;
};

constexpr Row rows[] = {
    {"8.8.8.8", Verdict::allowed},
    {"1.1.1.1", Verdict::allowed},
    {"93.184.216.34", Verdict::allowed},
    {"172.15.255.255", Verdict::allowed},
    {"172.32.0.0", Verdict::allowed},
    {"11.0.0.0", Verdict::allowed},
    {"9.255.255.255", Verdict::allowed},
    {"100.63.255.255", Verdict::allowed},
    {"100.128.0.0", Verdict::allowed},
    {"126.255.255.255", Verdict::allowed},
    {"128.0.0.1", Verdict::allowed},
    {"169.253.255.255", Verdict::allowed},
    {"192.167.255.255", Verdict::allowed},
    {"192.169.0.0", Verdict::allowed},
    {"198.17.255.255", Verdict::allowed},
    {"198.20.0.0", Verdict::allowed},
    {"223.255.255.255", Verdict::allowed},
    {"2606:4700:4700::1111", Verdict::allowed},
    {"2001:4860:4860::8888", Verdict::allowed},
    {"2a00:1450:4001:81b::200e", Verdict::allowed},
    {"::ffff:8.8.8.8", Verdict::allowed},
    {"64:ff9b::808:808", Verdict::allowed},
    {"0.0.0.0", Verdict::unusable},
    {"0.1.2.3", Verdict::unusable},
    {"::", Verdict::unusable},
    {"224.0.0.1", Verdict::unusable},
    {"239.255.255.255", Verdict::unusable},
    {"240.0.0.1", Verdict::unusable},
    {"255.255.255.255", Verdict::unusable},
    {"ff02::1", Verdict::unusable},
    {"ff0e::1", Verdict::unusable},
    {"::ffff:0.0.0.0", Verdict::unusable},
    {"::ffff:224.0.0.1", Verdict::unusable},
    {"127.0.0.1", Verdict::not_public},
    {"127.255.255.254", Verdict::not_public},
    {"::1", Verdict::not_public},
    {"::ffff:127.0.0.1", Verdict::not_public},
    {"64:ff9b::7f00:1", Verdict::not_public},
    {"10.0.0.1", Verdict::not_public},
    {"10.255.255.255", Verdict::not_public},
    {"172.16.0.1", Verdict::not_public},
    {"172.31.255.255", Verdict::not_public},
    {"192.168.0.1", Verdict::not_public},
    {"192.168.255.255", Verdict::not_public},
    {"::ffff:10.0.0.1", Verdict::not_public},
    {"::ffff:192.168.1.1", Verdict::not_public},
    {"64:ff9b::a00:1", Verdict::not_public},
    {"fc00::1", Verdict::not_public},
    {"fd12:3456:789a::1", Verdict::not_public},
    {"169.254.1.1", Verdict::not_public},
    {"fe80::1", Verdict::not_public},
    {"febf::1", Verdict::not_public},
    {"fec0::1", Verdict::not_public},
    {"100.64.0.1", Verdict::not_public},
    {"100.127.255.255", Verdict::not_public},
    {"192.0.0.1", Verdict::not_public},
    {"192.0.2.1", Verdict::not_public},
    {"198.51.100.1", Verdict::not_public},
    {"203.0.113.1", Verdict::not_public},
    {"198.18.0.1", Verdict::not_public},
    {"198.19.255.255", Verdict::not_public},
    {"192.88.99.1", Verdict::not_public},
    {"2001:db8::1", Verdict::not_public},
    {"3fff::1", Verdict::not_public},
    {"3fff:fff:ffff::1", Verdict::not_public},
    {"2001:2::1", Verdict::not_public},
    {"2001:10::1", Verdict::not_public},
    {"2001:20::1", Verdict::not_public},
    {"100::1", Verdict::not_public},
    {"5f00::1", Verdict::not_public},
    {"2002:a00:1::1", Verdict::not_public},
    {"2002:808:808::1", Verdict::not_public},
    {"2001:0:1234::1", Verdict::not_public},
    {"2001:0:4136:e378:8000:63bf:3fff:fdd2", Verdict::not_public},
    {"64:ff9b:1::", Verdict::not_public},
    {"64:ff9b:1::808:808", Verdict::not_public},
    {"64:ff9b:1:a00:0:100::", Verdict::not_public},
    {"::127.0.0.1", Verdict::not_public},
    {"::ffff:0:127.0.0.1", Verdict::not_public},
    {"::8.8.8.8", Verdict::not_public},
    {"4000::1", Verdict::not_public},
    {"169.254.169.254", Verdict::metadata},
    {"169.254.170.2", Verdict::metadata},
    {"100.100.100.200", Verdict::metadata},
    {"192.0.0.192", Verdict::metadata},
    {"168.63.129.16", Verdict::metadata},
    {"fd00:ec2::254", Verdict::metadata},
    {"fd20:ce::254", Verdict::metadata},
    {"fe80::a9fe:a9fe", Verdict::metadata},
    {"::ffff:169.254.169.254", Verdict::metadata},
    {"64:ff9b::a9fe:a9fe", Verdict::metadata},
    {"64:ff9b:1::a9fe:a9fe", Verdict::metadata},
    {"64:ff9b:1:a9fe:a9:fe00::", Verdict::metadata},
    {"2002:a9fe:a9fe::1", Verdict::metadata},
    {"2001:0:a9fe:a9fe::1", Verdict::metadata},
    {"2001:0:1234::5601:5601", Verdict::metadata},
};

TEST_CASE("an ordinary host may be at public addresses only", "[registry]") {
  for (const Row& row : rows) {
    INFO(row.text);
    CHECK(judge_address(address(row.text), HostKind::ordinary, {}) == row.verdict);
    CHECK(describe(address(row.text)).empty() == (row.verdict == Verdict::allowed));
  }
}

TEST_CASE("a listed range allows what is not public and never metadata", "[registry]") {
  const auto everything = ranges({"0.0.0.0/0", "::/0"});
  for (const Row& row : rows) {
    INFO(row.text);
    const Verdict wanted = row.verdict == Verdict::not_public ? Verdict::allowed : row.verdict;
    CHECK(judge_address(address(row.text), HostKind::ordinary, everything) == wanted);
  }
  const auto ten = ranges({"10.1.0.0/16"});
  CHECK(judge_address(address("10.1.2.3"), HostKind::ordinary, ten) == Verdict::allowed);
  CHECK(judge_address(address("::ffff:10.1.2.3"), HostKind::ordinary, ten) == Verdict::allowed);
  CHECK(judge_address(address("10.2.0.0"), HostKind::ordinary, ten) == Verdict::not_public);
}

TEST_CASE("loopback names reach loopback alone, *.local private addresses too", "[registry]") {
  const auto judge = [](const char* text, HostKind kind) {
    return judge_address(address(text), kind, {});
  };
  for (const char* text : {"127.0.0.1", "127.0.1.1", "::1", "::ffff:127.0.0.1"}) {
    CHECK(judge(text, HostKind::loopback) == Verdict::allowed);
    CHECK(judge(text, HostKind::local) == Verdict::allowed);
  }
  for (const char* text : {"10.0.0.1", "192.168.1.20", "fd12::1"}) {
    CHECK(judge(text, HostKind::loopback) == Verdict::not_public);
    CHECK(judge(text, HostKind::local) == Verdict::allowed);
  }
  // A name that says "this machine" and answers with another is a lie, and http would be allowed.
  CHECK(judge("8.8.8.8", HostKind::loopback) == Verdict::not_public);
  CHECK(judge("8.8.8.8", HostKind::local) == Verdict::allowed);
  CHECK(judge("169.254.1.1", HostKind::local) == Verdict::not_public);
  CHECK(judge("169.254.169.254", HostKind::local) == Verdict::metadata);
}

TEST_CASE("the kind of a host is told by its name or literal", "[registry]") {
  CHECK(host_kind("localhost") == HostKind::loopback);
  CHECK(host_kind("api.localhost") == HostKind::loopback);
  CHECK(host_kind("127.8.9.1") == HostKind::loopback);
  CHECK(host_kind("::1") == HostKind::loopback);
  CHECK(host_kind("mac.local") == HostKind::local);
  for (const char* host : {"local", ".local", "notlocalhost", "localhost.example", "10.0.0.1",
                           "::ffff:127.0.0.1", "example.com", "xlocal"}) {
    INFO(host);
    CHECK(host_kind(host) == HostKind::ordinary);
  }
}

TEST_CASE("only canonical address text is an address", "[registry]") {
  for (const char* text :
       {"127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0", "", "1.2.3", "1.2.3.4.5", "256.0.0.1",
        "01.2.3.4", "1.2.3.4 ", "::1%lo", "[::1]", "g::1", "1::2::3", "12345::"}) {
    INFO(text);
    CHECK_FALSE(parse_address(text));
  }
  CHECK_FALSE(parse_address(std::string_view("1.2.3.4\0", 8)));
  CHECK(to_text(address("0:0:0:0:0:0:0:1")) == "::1");
  CHECK(to_text(address("10.1.1.1")) == "10.1.1.1");
}

TEST_CASE("the bytes of a sockaddr are judged like text", "[registry]") {
  in_addr v4{};
  inet_pton(AF_INET, "10.0.0.1", &v4);
  CHECK(address_of_bytes({reinterpret_cast<const char*>(&v4), 4}) == address("10.0.0.1"));
  in6_addr v6{};
  inet_pton(AF_INET6, "2001:db8::1", &v6);
  CHECK(address_of_bytes({reinterpret_cast<const char*>(&v6), 16}) == address("2001:db8::1"));
  CHECK_FALSE(address_of_bytes("12345"));
}

TEST_CASE("a range is a network with nothing set after its prefix", "[registry]") {
  struct Good {
    const char* text;
    int bits;
  };
  for (const Good& good : {Good{"10.0.0.0/8", 8}, Good{"192.168.4.7/32", 32}, Good{"10.1.2.3", 32},
                           Good{"fd12::/16", 16}, Good{"::/0", 0}, Good{"0.0.0.0/0", 0},
                           Good{"fd00::1", 128}, Good{"10.128.0.0/9", 9}}) {
    INFO(good.text);
    const auto cidr = parse_cidr(good.text);
    REQUIRE(cidr);
    CHECK(cidr->prefix_bits == good.bits);
  }
  for (const char* bad : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.1/8",
                          "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8/8", "10/8", "fd12::1/16",
                          "host/8", "10.64.0.0/9", "10.0.0.0/ 8", "10.0.0.0/1000"}) {
    INFO(bad);
    const auto cidr = parse_cidr(bad);
    REQUIRE_FALSE(cidr);
    CHECK(cidr.error().code() == ErrorCode::registry_field_invalid);
    CHECK(cidr.error().param() == "allow_addresses");
  }
}

TEST_CASE("names of metadata services are known", "[registry]") {
  CHECK(is_metadata_name("metadata.google.internal"));
  CHECK(is_metadata_name("metadata.tencentyun.com"));
  CHECK_FALSE(is_metadata_name("metadata.example.com"));
}

}  // namespace
}  // namespace byway::registry
