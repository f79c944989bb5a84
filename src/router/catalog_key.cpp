#include "router/catalog_key.hpp"

#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace byway::router {
namespace {

/// Immutable, so that many attempts may open it at once.
struct SealedLine {
  vault::RecordKey record_key;
  KeyPlace place;
  std::string sealed;
  std::string prefix;

  Result<void> open(Secret& line) const try {
    const std::size_t capacity = sealed.size() - vault::sealed_overhead;
    if (line.size() != prefix.size() + capacity) line = Secret::zeros(prefix.size() + capacity);
    std::memcpy(line.mutable_bytes(), prefix.data(), prefix.size());
    auto size = record_key.open_into(place.binding(), sealed, line.mutable_bytes() + prefix.size(),
                                     capacity);
    if (size) return {};
    line = Secret();
    return size.error();
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::vault_memory, "no protected memory is left for the upstream key");
  }
};

}  // namespace

vault::Binding KeyPlace::binding() const {
  return vault::Binding{.org = org,
                        .slug = slug,
                        .origin = origin,
                        .field = key_field,
                        .record_id = record_id,
                        .generation = generation};
}

std::string header_prefix(const wire::DialectAuth& auth) {
  if (auth.kind == wire::AuthKind::header) return auth.header + ": ";
  return "Authorization: Bearer ";
}

Result<registry::OpenKey> make_opener(const vault::Vault& vault, KeyPlace place, std::string sealed,
                                      const wire::DialectAuth& auth) {
  auto record_key = vault.unlock(sealed);
  if (!record_key) return record_key.error();
  auto line = std::make_shared<const SealedLine>(
      SealedLine{*std::move(record_key), std::move(place), std::move(sealed), header_prefix(auth)});
  Secret tried;
  if (Result<void> opened = line->open(tried); !opened) return opened.error();
  return registry::OpenKey([line = std::move(line)](Secret& out) { return line->open(out); });
}

registry::OpenKey broken_opener(Error why) {
  return [why = std::move(why)](Secret&) -> Result<void> { return why; };
}

}  // namespace byway::router
