#include "vault/sealed_box.hpp"

#include <openssl/evp.h>

#include <bit>
#include <memory>
#include <new>

#include "base/digest.hpp"
#include "vault/big_endian.hpp"

namespace byway::vault {
namespace {

/// "BYWV", format version 1, algorithm 1 (AES-256-GCM).
constexpr std::string_view prefix = "BYWV\x01\x01";
constexpr std::size_t salt_size = 32;
constexpr std::size_t commitment_size = 32;
constexpr std::size_t nonce_size = 12;
constexpr std::size_t record_key_size = 32;
static_assert(prefix.size() + std::tuple_size_v<KekId> + sizeof(std::uint32_t) + salt_size +
                  commitment_size + nonce_size ==
              header_size);

Error corrupt() {
  return Error(ErrorCode::vault_ciphertext_corrupt,
               "a sealed key does not open: it was changed, cut or moved from its place; give the "
               "endpoint its key again");
}

Error unknown_format() {
  return Error(ErrorCode::vault_unknown_format,
               "a sealed key has a format or algorithm this version of Byway does not know; it may "
               "come from a newer one");
}

Error wrong_master_key() {
  return Error(ErrorCode::vault_kek_wrong,
               "a sealed key was sealed under another master key than this one");
}

Error no_memory() {
  return Error(ErrorCode::vault_memory, "no protected memory is left for a key");
}

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};

EVP_CIPHER_CTX* thread_context() {
  static thread_local const std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> context(
      EVP_CIPHER_CTX_new());
  return context.get();
}

const EVP_CIPHER* aes_256_gcm() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return cipher;
}

/// Wipes the key schedule that the thread's context holds; OpenSSL frees it with a wipe.
struct CipherWiper {
  ~CipherWiper() { EVP_CIPHER_CTX_reset(thread_context()); }
};

const unsigned char* bytes_of(std::string_view view) noexcept {
  return reinterpret_cast<const unsigned char*>(view.data());
}

}  // namespace

// The two raw verbs are in no header: the nonce is chosen here and nowhere else (safety P01). Tests
// declare them, to feed published vectors.
namespace raw {

/// Writes message.size() bytes of ciphertext, then the tag. `key` is 32 bytes, `nonce` 12.
bool encrypt(std::string_view key, std::string_view nonce, std::string_view additional,
             std::string_view message, char* out) {
  const CipherWiper wiper;
  EVP_CIPHER_CTX* context = thread_context();
  auto* ciphertext = reinterpret_cast<unsigned char*>(out);
  const int size = static_cast<int>(message.size());
  int written = 0;
  // Init, Update, Final and never the one-shot call (CVE-2026-45445 ignored the nonce there).
  return context != nullptr && aes_256_gcm() != nullptr &&
         EVP_EncryptInit_ex2(context, aes_256_gcm(), bytes_of(key), bytes_of(nonce), nullptr) ==
             1 &&
         EVP_EncryptUpdate(context, nullptr, &written, bytes_of(additional),
                           static_cast<int>(additional.size())) == 1 &&
         EVP_EncryptUpdate(context, ciphertext, &written, bytes_of(message), size) == 1 &&
         EVP_EncryptFinal_ex(context, ciphertext + size, &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, tag_size, ciphertext + size) == 1;
}

/// Writes ciphertext.size() - 16 bytes, which are wiped again when the tag is not right.
bool decrypt(std::string_view key, std::string_view nonce, std::string_view additional,
             std::string_view ciphertext, char* out) {
  if (ciphertext.size() < tag_size) return false;
  const CipherWiper wiper;
  EVP_CIPHER_CTX* context = thread_context();
  auto* message = reinterpret_cast<unsigned char*>(out);
  const std::size_t size = ciphertext.size() - tag_size;
  auto* tag = const_cast<unsigned char*>(bytes_of(ciphertext.substr(size)));
  int written = 0;
  const bool is_open =
      context != nullptr && aes_256_gcm() != nullptr &&
      EVP_DecryptInit_ex2(context, aes_256_gcm(), bytes_of(key), bytes_of(nonce), nullptr) == 1 &&
      EVP_DecryptUpdate(context, nullptr, &written, bytes_of(additional),
                        static_cast<int>(additional.size())) == 1 &&
      EVP_DecryptUpdate(context, message, &written, bytes_of(ciphertext), static_cast<int>(size)) ==
          1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tag_size, tag) == 1 &&
      EVP_DecryptFinal_ex(context, message + size, &written) == 1;
  if (!is_open) base::wipe(out, size);
  return is_open;
}

}  // namespace raw

Result<SealedHeader> read_header(std::string_view sealed) {
  if (sealed.size() < prefix.size()) return corrupt();
  int flipped_bits = 0;
  for (std::size_t at = 0; at < prefix.size(); ++at) {
    flipped_bits += std::popcount(static_cast<unsigned char>(sealed[at] ^ prefix[at]));
  }
  if (flipped_bits == 1) return corrupt();
  if (flipped_bits > 1) return unknown_format();
  if (sealed.size() < sealed_overhead || sealed.size() - sealed_overhead > secret_bytes_max) {
    return corrupt();
  }
  std::size_t at = prefix.size();
  const auto take = [&](std::size_t size) {
    const std::string_view field = sealed.substr(at, size);
    at += size;
    return field;
  };
  SealedHeader header;
  header.kek_id = take(std::tuple_size_v<KekId>);
  header.kek_version = read_big_endian(take(sizeof(std::uint32_t)));
  header.salt = take(salt_size);
  header.commitment = take(commitment_size);
  header.nonce = take(nonce_size);
  return header;
}

Result<std::string> seal(const MasterKey& key, const Binding& binding,
                         std::string_view secret) try {
  if (secret.size() > secret_bytes_max) {
    return Error(ErrorCode::vault_secret_invalid, "a secret to be sealed is over 64 KiB");
  }
  char salt[salt_size];
  char nonce[nonce_size];
  char commitment[commitment_size];
  base::random_bytes(salt, sizeof(salt));
  base::random_bytes(nonce, sizeof(nonce));
  const base::Hkdf derivation(key.key().expose_secret(), {salt, sizeof(salt)});
  Secret record_key = Secret::zeros(record_key_size);
  derivation.expand("seal", record_key.mutable_bytes(), record_key.size());
  derivation.expand("commit", commitment, sizeof(commitment));

  std::string sealed;
  sealed.reserve(sealed_overhead + secret.size());
  sealed.append(prefix).append(key.id_view());
  append_big_endian(sealed, key.version());
  sealed.append(salt, sizeof(salt)).append(commitment, sizeof(commitment));
  sealed.append(nonce, sizeof(nonce)).resize(sealed_overhead + secret.size());
  std::string additional;
  encode_binding(binding, key.version(), additional);
  if (!raw::encrypt(record_key.expose_secret(), {nonce, sizeof(nonce)}, additional, secret,
                    sealed.data() + header_size)) {
    return Error(ErrorCode::internal_error, "OpenSSL does not encrypt with AES-256-GCM");
  }
  return sealed;
} catch (const std::bad_alloc&) {
  return no_memory();
} catch (const ResultError& failure) {
  return failure.error();
}

Result<RecordKey> unlock(const MasterKey& key, std::string_view sealed) try {
  Result<SealedHeader> header = read_header(sealed);
  if (!header) return header.error();
  const base::Hkdf derivation(key.key().expose_secret(), header->salt);
  char commitment[commitment_size];
  derivation.expand("commit", commitment, sizeof(commitment));
  const bool is_ours = base::is_equal(header->commitment, {commitment, sizeof(commitment)});
  const bool is_named = header->kek_id == key.id_view();
  if (!is_ours && !is_named) return wrong_master_key();
  if (!is_ours || !is_named) return corrupt();
  Secret record_key = Secret::zeros(record_key_size);
  derivation.expand("seal", record_key.mutable_bytes(), record_key.size());
  return RecordKey(std::move(record_key));
} catch (const std::bad_alloc&) {
  return no_memory();
} catch (const ResultError& failure) {
  return failure.error();
}

Result<std::size_t> RecordKey::open_into(const Binding& binding, std::string_view sealed, char* out,
                                         std::size_t capacity) const try {
  Result<SealedHeader> header = read_header(sealed);
  if (!header) return header.error();
  const std::size_t size = sealed.size() - sealed_overhead;
  if (size > capacity) {
    return Error(ErrorCode::internal_error, "the memory for an opened key is too small");
  }
  static thread_local std::string additional;
  encode_binding(binding, header->kek_version, additional);
  const std::string_view ciphertext = sealed.substr(header_size);
  if (!raw::decrypt(key_.expose_secret(), header->nonce, additional, ciphertext, out)) {
    return corrupt();
  }
  return size;
} catch (const std::bad_alloc&) {
  return no_memory();
}

Result<Secret> RecordKey::open(const Binding& binding, std::string_view sealed) const try {
  // A box of no plausible size is refused by open_into(), so it needs no memory here.
  const bool is_plausible = sealed.size() - sealed_overhead <= secret_bytes_max;
  Secret secret = Secret::zeros(is_plausible ? sealed.size() - sealed_overhead : 0);
  Result<std::size_t> opened = open_into(binding, sealed, secret.mutable_bytes(), secret.size());
  if (!opened) return opened.error();
  return secret;
} catch (const std::bad_alloc&) {
  return no_memory();
}

}  // namespace byway::vault
