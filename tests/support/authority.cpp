#include "support/authority.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace byway::testing_support {
namespace {

template <auto free>
struct Free {
  template <class T>
  void operator()(T* pointer) const {
    free(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;

constexpr long day = 86'400;

void check(bool is_good) {
  if (!is_good) throw std::runtime_error("a test certificate could not be made");
}

struct Issuer {
  X509* certificate;
  EVP_PKEY* key;
};

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  check(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

/// Signed by `issuer`, or by itself.
Certificate issue(EVP_PKEY* key, const char* name, long serial, bool is_expired,
                  const Issuer* issuer, const std::string& alternative_names) {
  Certificate made(X509_new());
  check(made != nullptr);
  X509* certificate = made.get();
  X509* signer = issuer ? issuer->certificate : certificate;
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -2 * day);
  X509_gmtime_adj(X509_getm_notAfter(certificate), is_expired ? -day : 30 * day);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  extend(certificate, signer, NID_basic_constraints, issuer ? "CA:FALSE" : "critical,CA:TRUE");
  if (!alternative_names.empty())
    extend(certificate, signer, NID_subject_alt_name, alternative_names);
  check(X509_sign(certificate, issuer ? issuer->key : key, EVP_sha256()) > 0);
  return made;
}

template <class Write>
void write_pem(const std::string& path, Write write) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  check(file != nullptr);
  const bool is_written = write(file) == 1;
  check(std::fclose(file) == 0 && is_written);
}

void write_files(const CertificateFiles& files, X509* certificate, EVP_PKEY* key) {
  write_pem(files.certificate, [&](std::FILE* file) { return PEM_write_X509(file, certificate); });
  write_pem(files.key, [&](std::FILE* file) {
    return PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

}  // namespace

Authority::Authority(const CertificateOptions& server) {
  std::string name = (std::filesystem::temp_directory_path() / "byway-tls-XXXXXX").string();
  check(::mkdtemp(name.data()) != nullptr);
  folder_ = name;
  // Named after its folder, so that two authorities are not taken for one.
  const Key ca_key(EVP_EC_gen("P-256"));
  const Key server_key(EVP_EC_gen("P-256"));
  const Key client_key(EVP_EC_gen("P-256"));
  check(ca_key && server_key && client_key);
  const Certificate ca = issue(ca_key.get(), folder_.filename().c_str(), 1, false, nullptr, {});
  const Issuer issuer{ca.get(), ca_key.get()};
  const Certificate shown =
      issue(server_key.get(), "Byway test server", 2, server.is_expired, &issuer, server.names);
  const Certificate client = issue(client_key.get(), "Byway test client", 3, false, &issuer, {});
  write_files({ca_file(), (folder_ / "ca.key").string()}, ca.get(), ca_key.get());
  write_files(server_files(), shown.get(), server_key.get());
  write_files(client_files(), client.get(), client_key.get());
}

Authority::~Authority() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace byway::testing_support
