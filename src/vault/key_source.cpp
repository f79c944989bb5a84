#include <byway/vault.hpp>

#include <cstdlib>
#include <new>

#include "base/digest.hpp"
#include "vault/key_file.hpp"
#include "vault/key_text.hpp"
#include "vault/master_key.hpp"
#include "vault/passphrase.hpp"

namespace byway {
namespace {

/// 64 hex digits or 44 of base64, and a line end.
constexpr std::size_t key_file_bytes_max = 66;
constexpr std::size_t passphrase_file_bytes_max = 512;

Result<Secret> check_size(Result<Secret> key) {
  if (!key || key->size() == vault::master_key_size) return key;
  return Error(ErrorCode::vault_key_format, "the application's key source gave " +
                                                std::to_string(key->size()) +
                                                " bytes; a master key is 32");
}

/// An application's function; what it throws stops here.
Result<Secret> ask(const KeySource::Reader& reader) try {
  if (!reader) return Error(ErrorCode::vault_no_key, "the key source has no function to ask");
  return reader();
} catch (...) {
  return Error(ErrorCode::vault_no_key, "the application's key source threw an exception");
}

}  // namespace

KeySource KeySource::environment(std::string name) {
  return KeySource([name = std::move(name)]() -> Result<Secret> {
    const char* text = std::getenv(name.c_str());
    if (text == nullptr || *text == '\0') {
      return Error(ErrorCode::vault_no_key, "the environment variable " + name + " holds no key");
    }
    return vault::key_from_text(text);
  });
}

KeySource KeySource::file(std::string path) {
  return KeySource([path = std::move(path)]() -> Result<Secret> {
    Result<Secret> content = vault::read_private_file(path, key_file_bytes_max);
    if (!content) return content;
    return vault::key_from_content(content->expose_secret());
  });
}

KeySource KeySource::callback(Reader reader) {
  return KeySource([reader = std::move(reader)] { return check_size(ask(reader)); });
}

KeySource KeySource::passphrase(Reader reader, std::string parameters_path) {
  return KeySource(
      [reader = std::move(reader), path = std::move(parameters_path)]() -> Result<Secret> {
        Result<Secret> text = vault::read_private_file(path, passphrase_file_bytes_max);
        if (!text) return text;
        Result<vault::PassphraseParameters> parameters =
            vault::parse_passphrase_parameters(text->expose_secret());
        if (!parameters) return parameters.error();
        Result<Secret> passphrase = ask(reader);
        if (!passphrase) return passphrase;
        return vault::derive_master_key(*passphrase, *parameters);
      });
}

Result<Secret> KeySource::load() const try {
  if (!reader_) return Error(ErrorCode::vault_no_key, "no source of a master key was given");
  return reader_();
} catch (const std::bad_alloc&) {
  return Error(ErrorCode::vault_memory, "no protected memory is left for the master key");
} catch (const ResultError& failure) {
  return failure.error();
}

Secret generate_master_key() {
  Secret key = Secret::zeros(vault::master_key_size);
  base::random_bytes(key.mutable_bytes(), key.size());
  return key;
}

Result<void> write_key_file(const std::string& path, const Secret& key) {
  if (key.size() != vault::master_key_size) {
    return Error(ErrorCode::vault_key_format, "a master key is 32 bytes");
  }
  return vault::write_private_file(path, vault::key_to_line(key).expose_secret());
}

Result<void> write_passphrase_file(const std::string& path) {
  return vault::write_private_file(path, vault::to_text(vault::make_passphrase_parameters()));
}

}  // namespace byway
