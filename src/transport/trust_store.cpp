#include "transport/trust_store.hpp"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <sys/stat.h>

#include <array>
#include <map>
#include <mutex>

namespace byway::transport {
namespace {

struct Loaded {
  timespec modified{};
  off_t size = 0;
  std::shared_ptr<const TrustStore> store;
};

/// Where distributions keep the bundle; the first that exists is the system's.
constexpr std::array<const char*, 3> system_bundles = {
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};

std::string path_of(const std::string& ca_file) {
  if (!ca_file.empty()) return ca_file;
  struct stat info {};
  for (const char* path : system_bundles) {
    if (stat(path, &info) == 0) return path;
  }
  return system_bundles.front();
}

Error cannot_load(const std::string& path) {
  return Error(ErrorCode::registry_field_invalid,
               "no certificate authorities can be read from " + path +
                   ": install the ca-certificates package or set ca_file to a PEM file");
}

}  // namespace

TrustStore::~TrustStore() {
  X509_STORE_free(store_);
}

Result<std::shared_ptr<const TrustStore>> TrustStore::load(const std::string& ca_file) {
  static std::mutex mutex;
  static std::map<std::string, Loaded> cache;
  const std::string path = path_of(ca_file);
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return cannot_load(path);
  const std::lock_guard lock(mutex);
  Loaded& loaded = cache[path];
  const bool is_current = loaded.store && loaded.size == info.st_size &&
                          loaded.modified.tv_sec == info.st_mtim.tv_sec &&
                          loaded.modified.tv_nsec == info.st_mtim.tv_nsec;
  if (is_current) return loaded.store;
  x509_store_st* store = X509_STORE_new();
  std::shared_ptr<const TrustStore> fresh(new TrustStore(store));
  // A certificate of the file is trusted as it stands, a self-signed server's included, as libcurl
  // does it.
  const bool is_read =
      store != nullptr && X509_STORE_load_file(store, path.c_str()) == 1 &&
      X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST) == 1;
  ERR_clear_error();
  if (!is_read) return cannot_load(path);
  loaded = Loaded{info.st_mtim, info.st_size, fresh};
  return fresh;
}

}  // namespace byway::transport
