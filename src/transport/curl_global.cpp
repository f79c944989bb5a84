#include "transport/curl_global.hpp"

#include <curl/curl.h>

#include <atomic>

#include "base/protected_memory.hpp"

namespace byway::transport {
namespace {

std::atomic<bool> is_protected{false};

/// Set while initialise_curl() looks whether libcurl asks us for memory.
thread_local bool saw_allocation = false;

void* allocate(std::size_t size) {
  saw_allocation = true;
  return base::protected_allocate(size);
}
void release(void* block) {
  base::protected_free(block);
}
void* reallocate(void* block, std::size_t size) {
  saw_allocation = true;
  return base::protected_reallocate(block, size);
}
char* duplicate(const char* text) {
  saw_allocation = true;
  return base::protected_duplicate(text);
}
void* zero_allocate(std::size_t count, std::size_t size) {
  saw_allocation = true;
  return base::protected_zero_allocate(count, size);
}

Result<void> initialise() {
  // libcurl wipes no credentials itself (libcurl-security(3)), hence an allocator that does. When
  // libcurl was in use before us it ignores the allocator without a word, so look whether it came
  // to us.
  const CURLcode code = curl_global_init_mem(CURL_GLOBAL_DEFAULT, allocate, release, reallocate,
                                             duplicate, zero_allocate);
  if (code != CURLE_OK) return Error(ErrorCode::internal_error, "libcurl cannot be initialised");
  saw_allocation = false;
  curl_slist* probe = curl_slist_append(nullptr, "byway");
  is_protected.store(saw_allocation && probe != nullptr);
  curl_slist_free_all(probe);
  return {};
}

}  // namespace

Result<void> initialise_curl() {
  static const Result<void> outcome = initialise();
  return outcome;
}

bool is_curl_memory_protected() noexcept {
  return is_protected.load();
}

}  // namespace byway::transport
