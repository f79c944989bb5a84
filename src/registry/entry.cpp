// Entry: from settings to what a call needs.
#include <strings.h>

#include <algorithm>
#include <utility>

#include "registry/settings.hpp"
#include "registry/snapshot.hpp"
#include "wire/operation_url.hpp"

namespace byway::registry {
namespace {

using Limit = std::optional<std::chrono::milliseconds>;

Limit first_given(const Limit& own, const Limit& dialect) {
  return own ? own : dialect;
}

EndpointTimeouts merged(const EndpointTimeouts& own, const wire::DialectTransport& dialect) {
  return EndpointTimeouts{.connect = first_given(own.connect, dialect.connect),
                          .first_byte = first_given(own.first_byte, dialect.first_byte),
                          .first_token = first_given(own.first_token, dialect.first_token),
                          .stall = first_given(own.stall, dialect.stall),
                          .total = first_given(own.total, dialect.total)};
}

/// The dialect's headers, the endpoint's over them.
std::vector<NameValue> merged(const std::vector<NameValue>& dialect,
                              const std::vector<NameValue>& own) {
  std::vector<NameValue> headers;
  for (const NameValue& header : dialect) {
    const bool is_replaced = std::any_of(own.begin(), own.end(), [&](const NameValue& other) {
      return ::strcasecmp(header.first.c_str(), other.first.c_str()) == 0;
    });
    if (!is_replaced) headers.push_back(header);
  }
  headers.insert(headers.end(), own.begin(), own.end());
  return headers;
}

/// All that a connection depends on: who it is for, under which key and TLS settings, by which way
/// (safety 7.3). No field holds a line feed.
std::string pool_of(const Endpoint& endpoint, const CheckedSettings& checked) {
  const EndpointSettings& settings = endpoint.settings;
  std::string pool = settings.org + "\n" + endpoint.id + "\n" + checked.base_url.origin + "\n" +
                     std::to_string(endpoint.key_generation);
  for (const std::string* part :
       {&settings.ca_file, &settings.client_cert, &settings.client_key, &settings.proxy}) {
    pool += "\n" + *part;
  }
  for (const std::string& range : settings.allow_addresses) pool += "\n" + range;
  return pool;
}

/// Judges what is dialled: the proxy when there is one, for that is what Byway connects to.
std::function<bool(std::string_view)> guard_of(const CheckedSettings& checked) {
  const HostKind kind = checked.proxy ? checked.proxy->kind : checked.base_url.kind;
  return [kind, allowed = checked.allow_addresses](std::string_view text) {
    const auto address = parse_address(text.substr(0, text.find('%')));
    return address && judge_address(*address, kind, allowed) == AddressVerdict::allowed;
  };
}

}  // namespace

Entry::Entry(Endpoint given, std::shared_ptr<const wire::Dialect> spoken, OpenKey opener)
    : endpoint(std::move(given)),
      provider("byo:" + endpoint.settings.slug),
      dialect(*spoken),
      timeouts(merged(endpoint.settings.timeouts, spoken->transport)),
      open_key(std::move(opener)),
      owned_dialect_(std::move(spoken)) {}

Result<std::shared_ptr<Entry>> Entry::make(Endpoint endpoint, OpenKey open_key) {
  Result<CheckedSettings> checked = check_settings(endpoint.settings);
  if (!checked) return checked.error();
  endpoint.settings.base_url = checked->base_url.text;
  endpoint.origin = checked->base_url.origin;
  std::shared_ptr<Entry> entry(
      new Entry(std::move(endpoint), checked->dialect, std::move(open_key)));
  const EndpointSettings& settings = entry->endpoint.settings;
  Target& common = entry->common_;
  common.pool = pool_of(entry->endpoint, *checked);
  common.headers = merged(entry->dialect.headers, settings.headers);
  common.ca_file = settings.ca_file;
  common.client_cert = settings.client_cert;
  common.client_key = settings.client_key;
  common.proxy = settings.proxy;
  common.address_allowed = guard_of(*checked);
  if (entry->dialect.transport.pool_age) common.pool_age = *entry->dialect.transport.pool_age;
  if (Result<void> made = entry->make_targets(); !made) return made.error();
  return entry;
}

Result<void> Entry::make_targets() {
  for (std::size_t at = 0; at < targets_.size(); ++at) {
    const auto operation = static_cast<Operation>(at);
    const auto& path = dialect.paths[at];
    if (!dialect.offers(operation) || !path || path->find('{') != std::string::npos) continue;
    auto url = wire::operation_url(endpoint.settings.base_url, dialect, operation, {},
                                   endpoint.settings.query);
    if (!url) return url.error();
    auto target = std::make_shared<Target>(common_);
    target->url = *std::move(url);
    targets_[at] = std::move(target);
  }
  return {};
}

bool Entry::allows_model(std::string_view upstream_model) const noexcept {
  const auto& allow = endpoint.settings.allow;
  if (!allow) return true;
  return std::any_of(allow->begin(), allow->end(), [&](const std::string& item) {
    return item == upstream_model || item == "*";
  });
}

Result<std::shared_ptr<const Target>> Entry::target(Operation operation,
                                                    std::string_view upstream_model) const {
  const auto& target = targets_[static_cast<std::size_t>(operation)];
  if (target) return target;
  if (!dialect.offers(operation)) {
    return Error(ErrorCode::request_unsupported,
                 "endpoint byo:" + endpoint.settings.slug + " speaks the dialect " + dialect.name +
                     ", which has no " + std::string(name_of(operation)));
  }
  auto url = wire::operation_url(endpoint.settings.base_url, dialect, operation, upstream_model,
                                 endpoint.settings.query);
  if (!url) return url.error();
  auto own = std::make_shared<Target>(common_);
  own->url = *std::move(url);
  return std::shared_ptr<const Target>(std::move(own));
}

}  // namespace byway::registry
