// Looks at memory as an attacker would: freed bytes, and what the kernel says of a page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BYWAY_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BYWAY_TEST_SANITIZED 1
#endif
#endif
#ifndef BYWAY_TEST_SANITIZED
#define BYWAY_TEST_SANITIZED 0
#endif

namespace byway::test {

/// Reads bytes that are free, which the address sanitizer would not allow.
__attribute__((no_sanitize("address"), noinline)) inline bool is_all_zero(const void* bytes,
                                                                          std::size_t size) {
  const auto* at = static_cast<const volatile char*>(bytes);
  for (std::size_t index = 0; index < size; ++index) {
    if (at[index] != 0) return false;
  }
  return true;
}

/// The kernel's flags of the mapping around an address ("rd wr mr mw me dd lo ..."), each between
/// spaces; empty where /proc does not say.
inline std::string flags_of_page(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  bool is_inside = false;
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  for (std::string line; std::getline(maps, line);) {
    std::istringstream range(line);
    std::uintptr_t start = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    if (range >> std::hex >> start >> dash >> end && dash == '-') {
      is_inside = start <= wanted && wanted < end;
    }
    if (is_inside && line.rfind("VmFlags:", 0) == 0) return line.substr(8) + " ";
  }
  return {};
}

}  // namespace byway::test
