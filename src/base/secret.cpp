#include <byway/secret.hpp>

#include <cstring>
#include <new>
#include <utility>

#include "base/digest.hpp"
#include "base/protected_memory.hpp"

namespace byway {

Secret Secret::copy_of(std::string_view bytes) {
  Secret secret;
  if (bytes.empty()) return secret;
  secret.data_ = static_cast<char*>(base::key_allocate(bytes.size()));
  if (secret.data_ == nullptr) throw std::bad_alloc();
  secret.size_ = bytes.size();
  std::memcpy(secret.data_, bytes.data(), bytes.size());
  return secret;
}

Secret Secret::zeros(std::size_t size) {
  Secret secret;
  if (size == 0) return secret;
  secret.data_ = static_cast<char*>(base::key_allocate(size));
  if (secret.data_ == nullptr) throw std::bad_alloc();
  secret.size_ = size;
  return secret;
}

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  base::key_free(data_);
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

Secret::~Secret() {
  base::key_free(data_);
}

Secret Secret::clone() const {
  return copy_of(expose_secret());
}

bool operator==(const Secret& a, const Secret& b) noexcept {
  return base::is_equal(a.expose_secret(), b.expose_secret());
}

}  // namespace byway
