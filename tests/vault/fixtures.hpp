// Keys, places and vectors for the vault's tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <byway/result.hpp>
#include <byway/secret.hpp>

#include "vault/master_key.hpp"
#include "vault/sealed_box.hpp"

namespace byway::vault {

/// In sealed_box.cpp, in no header of the library on purpose.
namespace raw {
bool encrypt(std::string_view key, std::string_view nonce, std::string_view additional,
             std::string_view message, char* out);
bool decrypt(std::string_view key, std::string_view nonce, std::string_view additional,
             std::string_view ciphertext, char* out);
}  // namespace raw

inline MasterKey master_key(char fill, std::uint32_t version) {
  return MasterKey::make(Secret::copy_of(std::string(32, fill)), version).value();
}

inline constexpr Binding home = {.org = "local",
                                 .slug = "my-vllm",
                                 .origin = "https://models.example:8443",
                                 .field = "key",
                                 .record_id = "01J8ZQ4T5R6S7V8W9X0Y1Z2A3B",
                                 .generation = 7};

inline constexpr std::string_view upstream_secret =
    "sk-canary-7f3a9b2c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7081";

/// The code of a failed result, or of none.
template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "none" : std::string(result.error().name());
}

/// A fresh folder, removed with all that is in it.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "byway-vault-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace byway::vault
