// Tail: an object and as many bytes more as are known only at run time, in one allocation.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace byway::base {

constexpr std::size_t tail_alignment = 16;

/// Allocates the tail behind what it is asked for and tells its place.
template <class T>
struct TailAllocator {
  using value_type = T;
  static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

  TailAllocator(std::size_t tail_bytes, std::byte*& tail_place) noexcept
      : bytes(tail_bytes), place(&tail_place) {}
  template <class U>
  TailAllocator(const TailAllocator<U>& other) noexcept  // NOLINT(google-explicit-constructor)
      : bytes(other.bytes), place(other.place) {}

  T* allocate(std::size_t count) {
    auto* block = static_cast<std::byte*>(::operator new(begin(count) + bytes));
    *place = block + begin(count);
    return reinterpret_cast<T*>(block);
  }
  void deallocate(T* block, std::size_t) noexcept { ::operator delete(block); }
  template <class U>
  bool operator==(const TailAllocator<U>& other) const noexcept {
    return bytes == other.bytes;
  }

  std::size_t bytes;
  /// Of the maker, written while it makes the object.
  std::byte** place;

 private:
  static std::size_t begin(std::size_t count) noexcept {
    return (count * sizeof(T) + tail_alignment - 1) / tail_alignment * tail_alignment;
  }
};

/// A T, and `bytes` more in the same block, at `tail`, aligned to 16.
template <class T>
std::shared_ptr<T> make_shared_with_tail(std::size_t bytes, std::byte*& tail) {
  return std::allocate_shared<T>(TailAllocator<T>(bytes, tail));
}

}  // namespace byway::base
