// A fuzz target: one function over bytes, run by libFuzzer or over the files of its corpus.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace byway::fuzz {

using Target = void (*)(std::string_view input);

struct NamedTarget {
  std::string_view name;
  Target run;
  NamedTarget* next;
};

/// The targets linked into this program.
inline NamedTarget*& targets() {
  static NamedTarget* first = nullptr;
  return first;
}

struct Registration {
  Registration(std::string_view name, Target run) : target{name, run, targets()} {
    targets() = &target;
  }
  NamedTarget target;
};

/// What must hold for every input.
inline void require(bool holds) {
  if (!holds) std::abort();
}

/// Takes numbers from the front of an input, so that the fuzzer chooses among cases.
class Choices {
 public:
  explicit Choices(std::string_view input) : rest_(input) {}
  unsigned next() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }
  bool flag() { return next() % 2 == 1; }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace byway::fuzz

#ifdef BYWAY_LIBFUZZER
#define BYWAY_FUZZ_ENTRY(name)                                                        \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
    fuzz_##name(std::string_view(reinterpret_cast<const char*>(data), size));         \
    return 0;                                                                         \
  }
#else
#define BYWAY_FUZZ_ENTRY(name) \
  static const byway::fuzz::Registration registration_##name(#name, fuzz_##name);
#endif

/// `BYWAY_FUZZ(sse) { ... input ... }`
#define BYWAY_FUZZ(name)                           \
  static void fuzz_##name(std::string_view input); \
  BYWAY_FUZZ_ENTRY(name)                           \
  static void fuzz_##name(std::string_view input)
