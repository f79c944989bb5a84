#include "router/caller.hpp"

#include <utility>

#include "base/digest.hpp"
#include "policy/customer_key.hpp"

namespace byway::router {
namespace {

bool matches(const registry::KeyVerifier& kept, const registry::KeyVerifier& given) {
  const auto view = [](const registry::KeyVerifier& verifier) {
    return std::string_view(reinterpret_cast<const char*>(verifier.bytes.data()),
                            verifier.bytes.size());
  };
  const bool is_same = base::is_equal(view(kept), view(given));
  return is_same && kept.pepper_version == given.pepper_version;
}

std::string_view message_of(std::string_view reason) {
  if (reason == "missing") return "this router requires a customer key and none was given";
  if (reason == "malformed") return "the customer key is not written like one: check for a typo";
  if (reason == "revoked") return "the customer key was revoked";
  if (reason == "expired") return "the customer key has expired";
  return "the customer key is not known";
}

}  // namespace

Error bad_key(std::string_view reason) {
  ErrorFields fields{.code = ErrorCode::invalid_api_key};
  fields.reason = reason;
  fields.message = message_of(reason);
  return Error(std::move(fields));
}

registry::KeyVerifier verifier_of(const registry::Pepper& pepper, std::string_view key) {
  return {base::hmac_sha256(pepper.bytes.expose_secret(), key), pepper.version};
}

registry::KeyVerifier verifier_of(const registry::Pepper& pepper, const Secret& key) {
  return verifier_of(pepper, key.expose_secret());
}

Result<void> check_state(const registry::KeyRecord& record, WallTime now) {
  if (!record.key.revoked_at.empty()) return bad_key("revoked");
  if (record.expires && now >= *record.expires) return bad_key("expired");
  return {};
}

Result<std::shared_ptr<const registry::KeyRecord>> check_customer_key(
    const registry::Access& access, std::string_view key, WallTime now) {
  if (key.empty()) return bad_key("missing");
  const auto read = policy::parse_customer_key(key, access.key_prefix());
  if (!read) return bad_key("malformed");
  const auto& record = access.find_key(read->id);
  const registry::Pepper* pepper =
      record ? access.pepper(record->verifier.pepper_version) : access.newest_pepper();
  if (pepper == nullptr) return bad_key("unknown");
  const registry::KeyVerifier given = verifier_of(*pepper, key);
  static const registry::KeyVerifier nobody;
  const bool is_current = matches(record ? record->verifier : nobody, given);
  const bool is_previous = matches(record && record->previous ? *record->previous : nobody, given);
  if (!record || !(is_current || is_previous)) return bad_key("unknown");
  if (auto good = check_state(*record, now); !good) return good.error();
  if (!is_current && now >= record->overlap_until) return bad_key("expired");
  return record;
}

}  // namespace byway::router
