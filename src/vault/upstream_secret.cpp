#include "vault/upstream_secret.hpp"

namespace byway::vault {
namespace {

Error invalid(std::string message) {
  return Error(ErrorCode::vault_secret_invalid, std::move(message));
}

std::string name_of_byte(unsigned char byte) {
  switch (byte) {
    case '\r': return "a carriage return";
    case '\n': return "a line feed";
    case '\t': return "a tab";
    case '\0': return "a NUL byte";
    default: return byte < 0x80 ? "a control character" : "a byte that is not ASCII";
  }
}

}  // namespace

Result<void> validate_upstream_secret(std::string_view secret) {
  if (secret.size() > upstream_secret_bytes_max) {
    return invalid("the key has " + std::to_string(secret.size()) +
                   " bytes; 8192 are the most that are accepted");
  }
  if (secret.find_first_not_of(' ') == std::string_view::npos) {
    return invalid("the key is empty; an endpoint without a key is registered with no key at all");
  }
  for (std::size_t at = 0; at < secret.size(); ++at) {
    const auto byte = static_cast<unsigned char>(secret[at]);
    if (byte >= 0x20 && byte < 0x7f) continue;
    return invalid("the key holds " + name_of_byte(byte) + " at byte " + std::to_string(at + 1) +
                   " of " + std::to_string(secret.size()) + "; no header may carry it");
  }
  // RFC 9110 section 5.5: space around a field value is not part of it, so it would not arrive.
  if (secret.front() == ' ' || secret.back() == ' ') {
    return invalid("the key starts or ends with a space; remove it");
  }
  return {};
}

std::string preview_of(std::string_view secret) {
  if (secret.size() < 12) return "****";
  return std::string(secret.substr(0, 4)) + "...";
}

}  // namespace byway::vault
