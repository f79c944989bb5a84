// Authority: certificates for tests, made on the spot and written to a folder of their own.
#pragma once

#include <filesystem>
#include <string>

namespace byway::testing_support {

struct CertificateOptions {
  /// As in OpenSSL's subjectAltName.
  std::string names = "IP:127.0.0.1,IP:::1,DNS:localhost";
  bool is_expired = false;
};

/// PEM files of one certificate and its key.
struct CertificateFiles {
  std::string certificate = {};
  std::string key = {};
};

/// A certificate authority of its own. Its folder goes with it.
class Authority {
 public:
  /// `server` describes the certificate that a LoopbackServer shows. Throws std::runtime_error.
  explicit Authority(const CertificateOptions& server = {});
  Authority(const Authority&) = delete;
  ~Authority();

  /// What a client must trust.
  std::string ca_file() const { return (folder_ / "ca.pem").string(); }
  CertificateFiles server_files() const { return files("server"); }
  /// Signed by the same authority, for servers that ask.
  CertificateFiles client_files() const { return files("client"); }

 private:
  CertificateFiles files(const std::string& name) const {
    return {(folder_ / (name + ".pem")).string(), (folder_ / (name + ".key")).string()};
  }

  std::filesystem::path folder_;
};

}  // namespace byway::testing_support
