// Secret: bytes that must not leak: locked, left out of core dumps, wiped, compared in constant
// time.
#pragma once

#include <cstddef>
#include <string_view>

#include <byway/result.hpp>

namespace byway {

/// A key in memory. Its bytes live in pages that are locked and left out of core dumps where the
/// system allows (Router::health() says whether), and are wiped on destruction. It has no
/// formatter, no stream operator and no conversion: the one way out is expose_secret(). *One thread
/// at a time;* const members are safe from any thread.
class Secret {
 public:
  Secret() noexcept = default;
  /// Copies the bytes into protected memory. The caller wipes its own copy. An empty view gives an
  /// empty Secret. Throws std::bad_alloc when there is no memory.
  static Secret copy_of(std::string_view bytes);
  /// `size` zero bytes to be filled through mutable_bytes().
  static Secret zeros(std::size_t size);

  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  Secret clone() const;
  std::size_t size() const noexcept { return size_; }
  bool is_empty() const noexcept { return size_ == 0; }

  /// The bytes, valid as long as this Secret is neither moved from nor destroyed. Every use is a
  /// place to review.
  std::string_view expose_secret() const noexcept { return {data_, size_}; }
  /// To fill a Secret made by zeros().
  char* mutable_bytes() noexcept { return data_; }

  /// Constant time in the bytes; lengths are not secret.
  friend bool operator==(const Secret& a, const Secret& b) noexcept;

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace byway
