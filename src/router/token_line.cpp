#include "router/token_line.hpp"

#include <cstring>
#include <new>

#include "vault/upstream_secret.hpp"

namespace byway::router {
namespace {

constexpr std::string_view prefix = "Authorization: Bearer ";

Result<Secret> ask(const TokenSource& source, std::string_view slug, bool is_refused) try {
  return source(slug, is_refused);
} catch (...) {
  return Error(ErrorCode::vault_no_key, "the application's token source threw an exception");
}

}  // namespace

Result<std::shared_ptr<const Secret>> token_line(const TokenSource& source, std::string_view slug,
                                                 bool is_refused) try {
  const Result<Secret> token = ask(source, slug, is_refused);
  if (!token) return token.error();
  if (token->is_empty()) return std::shared_ptr<const Secret>();
  const std::string_view bytes = token->expose_secret();
  if (auto good = vault::validate_upstream_secret(bytes); !good) return good.error();
  auto line = std::make_shared<Secret>(Secret::zeros(prefix.size() + bytes.size()));
  std::memcpy(line->mutable_bytes(), prefix.data(), prefix.size());
  std::memcpy(line->mutable_bytes() + prefix.size(), bytes.data(), bytes.size());
  return std::shared_ptr<const Secret>(std::move(line));
} catch (const std::bad_alloc&) {
  return Error(ErrorCode::vault_memory, "no protected memory is left for the token");
}

}  // namespace byway::router
