// TrustStore: the certificate authorities of a PEM file, parsed once and shared by every
// connection.
#pragma once

#include <memory>
#include <string>

#include <byway/result.hpp>

struct x509_store_st;

namespace byway::transport {

/// OpenSSL 3.0 takes 25 ms to parse Debian's 140 authorities, and libcurl does so for every
/// connection when a CA path is compiled in (its cache is off then). So the store is ours. *Safe
/// from any thread.*
class TrustStore {
 public:
  /// The authorities of `ca_file`, or the system's when it is empty. Parsed at the first call for
  /// each file and again when the file has changed. Codes: registry_field_invalid (the file cannot
  /// be read or holds no certificate).
  static Result<std::shared_ptr<const TrustStore>> load(const std::string& ca_file);

  ~TrustStore();
  TrustStore(const TrustStore&) = delete;
  x509_store_st* get() const noexcept { return store_; }

 private:
  explicit TrustStore(x509_store_st* store) noexcept : store_(store) {}
  x509_store_st* store_;
};

}  // namespace byway::transport
