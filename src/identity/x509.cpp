#include "identity/x509.hpp"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>

#include "core/sha256.hpp"

namespace syncline::identity {

using core::Error;
using core::ErrorKind;

namespace {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* p) const {
    Free(p);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Request = std::unique_ptr<X509_REQ, Freer<X509_REQ_free>>;
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;

constexpr long kDay = 24 * 3600;
constexpr long kAuthorityDays = 3650;
// As long as the CA: nothing renews them yet, and a fleet must not fall silent on an anniversary. A
// node that is to be kept out is removed, not waited for.
constexpr long kNodeDays = kAuthorityDays;
constexpr std::size_t kHostsMax = 16;  // alternative names of one certificate

Error failed(const std::string& doing) {
  char text[256] = "no reason given";
  if (const unsigned long code = ERR_get_error()) ERR_error_string_n(code, text, sizeof(text));
  ERR_clear_error();
  return {ErrorKind::kCorrupt, doing + " failed: " + text, ""};
}

Bio reader(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

template <typename Write>
std::string to_pem(Write write) {
  const Bio bio(BIO_new(BIO_s_mem()));
  write(bio.get());
  return text_of(bio.get());
}
std::string pem_of(X509* c) {
  return to_pem([&](BIO* bio) { PEM_write_bio_X509(bio, c); });
}
std::string pem_of(EVP_PKEY* k) {
  return to_pem(
      [&](BIO* bio) { PEM_write_bio_PrivateKey(bio, k, nullptr, nullptr, 0, nullptr, nullptr); });
}

core::Result<Certificate> read_certificate(const std::string& pem) {
  Certificate c(PEM_read_bio_X509(reader(pem).get(), nullptr, nullptr, nullptr));
  if (!c) return failed("reading a certificate");
  return c;
}
core::Result<Key> read_key(const std::string& pem) {
  Key k(PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, nullptr, nullptr));
  if (!k) return failed("reading a key");
  return k;
}

void set_name(X509_NAME* name, const Subject& subject) {
  auto add = [&](const char* field, const std::string& value) {
    if (value.empty()) return;
    X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(value.data()),
                               static_cast<int>(value.size()), -1, 0);
  };
  add("O", subject.organisation);
  add("CN", subject.common_name);
}

bool add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  if (extension == nullptr) return false;
  const bool is_added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return is_added;
}

// Version, serial number, validity, names, key: what every certificate has.
core::Result<Certificate> begin_certificate(const Subject& subject, EVP_PKEY* key, X509* issuer,
                                            long days) {
  Certificate c(X509_new());
  unsigned char serial[16];
  if (!c || RAND_bytes(serial, sizeof(serial)) != 1) return failed("making a certificate");
  serial[0] &= 0x7f;  // a positive number
  BIGNUM* number = BN_bin2bn(serial, sizeof(serial), nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(c.get()));
  BN_free(number);
  X509_set_version(c.get(), X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(c.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(c.get()), days * kDay);
  set_name(X509_get_subject_name(c.get()), subject);
  X509_set_issuer_name(c.get(), X509_get_subject_name(issuer != nullptr ? issuer : c.get()));
  if (X509_set_pubkey(c.get(), key) != 1) return failed("setting a certificate's key");
  return c;
}

bool is_dns_name(const std::string& text) {
  return !text.empty() && text.size() <= 253 && text != kSwarmName &&
         text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") ==
             std::string::npos;
}
bool is_ip_address(const std::string& text) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(text.c_str());
  if (address == nullptr) return false;
  ASN1_OCTET_STRING_free(address);
  return true;
}

// "DNS:a,IP:10.0.0.1", as OpenSSL's configuration writes it.
std::string alternative_names(const std::vector<std::string>& hosts) {
  std::string out;
  std::size_t count = 0;
  for (const std::string& host : hosts) {
    const bool is_ip = is_ip_address(host);
    if ((!is_ip && !is_dns_name(host)) || ++count > kHostsMax) continue;
    out += (out.empty() ? "" : ",") + std::string(is_ip ? "IP:" : "DNS:") + host;
  }
  return out;
}

bool ask_for_names(X509_REQ* request, const std::string& names) {
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
  if (extension == nullptr) return false;
  STACK_OF(X509_EXTENSION)* extensions = sk_X509_EXTENSION_new_null();
  sk_X509_EXTENSION_push(extensions, extension);
  const bool is_added = X509_REQ_add_extensions(request, extensions) == 1;
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  return is_added;
}

// The hosts that a request asks to be for.
std::vector<std::string> names_asked_for(X509_REQ* request) {
  std::vector<std::string> hosts;
  STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request);
  auto* names = static_cast<GENERAL_NAMES*>(
      X509V3_get_d2i(extensions, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    const ASN1_STRING* value = name->type == GEN_DNS     ? name->d.dNSName
                               : name->type == GEN_IPADD ? name->d.iPAddress
                                                         : nullptr;
    if (value == nullptr) continue;
    const auto* bytes = ASN1_STRING_get0_data(value);
    const auto size = static_cast<std::size_t>(ASN1_STRING_length(value));
    if (name->type == GEN_DNS) {
      hosts.emplace_back(reinterpret_cast<const char*>(bytes), size);
      continue;
    }
    char text[INET6_ADDRSTRLEN] = "";
    const int family = size == 4 ? AF_INET : AF_INET6;
    if (size != 4 && size != 16) continue;
    if (::inet_ntop(family, bytes, text, sizeof(text)) != nullptr) hosts.emplace_back(text);
  }
  GENERAL_NAMES_free(names);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  return hosts;
}

core::Result<core::Digest256> hash_der(unsigned char* der, int size) {
  if (size <= 0) return failed("encoding a certificate");
  const core::Digest256 hash =
      core::sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return hash;
}

}  // namespace

core::Result<KeyPair> make_authority(const Subject& subject) {
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return failed("making a key");
  SYNCLINE_ASSIGN(const Certificate c,
                  begin_certificate(subject, key.get(), nullptr, kAuthorityDays));
  const bool is_complete =
      add_extension(c.get(), c.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
      add_extension(c.get(), c.get(), NID_key_usage, "critical,keyCertSign,cRLSign") &&
      add_extension(c.get(), c.get(), NID_subject_key_identifier, "hash") &&
      X509_sign(c.get(), key.get(), EVP_sha256()) > 0;
  if (!is_complete) return failed("signing the fleet's certificate");
  return KeyPair{pem_of(c.get()), pem_of(key.get())};
}

core::Result<KeyAndRequest> make_request(const Subject& subject,
                                         const std::vector<std::string>& hosts) {
  const Key key(EVP_EC_gen("P-256"));
  const Request request(X509_REQ_new());
  if (!key || !request) return failed("making a key");
  set_name(X509_REQ_get_subject_name(request.get()), subject);
  const std::string names = alternative_names(hosts);
  if (!names.empty() && !ask_for_names(request.get(), names)) {
    return failed("naming hosts in a request");
  }
  const bool is_signed = X509_REQ_set_pubkey(request.get(), key.get()) == 1 &&
                         X509_REQ_sign(request.get(), key.get(), EVP_sha256()) > 0;
  if (!is_signed) return failed("signing a request");
  return KeyAndRequest{pem_of(key.get()),
                       to_pem([&](BIO* bio) { PEM_write_bio_X509_REQ(bio, request.get()); })};
}

core::Result<std::string> sign_request(const KeyPair& authority, const std::string& request_pem,
                                       const Subject& subject) {
  SYNCLINE_ASSIGN(const Certificate issuer, read_certificate(authority.certificate_pem));
  SYNCLINE_ASSIGN(const Key issuer_key, read_key(authority.key_pem));
  const Request request(
      PEM_read_bio_X509_REQ(reader(request_pem).get(), nullptr, nullptr, nullptr));
  if (!request) return failed("reading a certificate request");
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  if (key == nullptr || X509_REQ_verify(request.get(), key) != 1) {
    return failed("checking a certificate request");
  }
  SYNCLINE_ASSIGN(const Certificate c, begin_certificate(subject, key, issuer.get(), kNodeDays));
  std::string names = "DNS:" + subject.common_name + ",DNS:" + kSwarmName;
  const std::string hosts = alternative_names(names_asked_for(request.get()));
  if (!hosts.empty()) names += "," + hosts;
  const bool is_complete =
      add_extension(c.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(c.get(), issuer.get(), NID_key_usage, "critical,digitalSignature") &&
      add_extension(c.get(), issuer.get(), NID_ext_key_usage, "clientAuth,serverAuth") &&
      add_extension(c.get(), issuer.get(), NID_subject_alt_name, names.c_str()) &&
      add_extension(c.get(), issuer.get(), NID_authority_key_identifier, "keyid") &&
      X509_sign(c.get(), issuer_key.get(), EVP_sha256()) > 0;
  if (!is_complete) return failed("signing a node's certificate");
  return pem_of(c.get());
}

core::Result<KeyPair> make_token_certificate(std::string_view seed) {
  const Key key(EVP_PKEY_new_raw_private_key(
      EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(seed.data()), seed.size()));
  if (!key) return failed("making the token's key");
  SYNCLINE_ASSIGN(const Certificate c, begin_certificate({"join", ""}, key.get(), nullptr, 1));
  if (X509_sign(c.get(), key.get(), nullptr) <= 0) return failed("signing the token's certificate");
  return KeyPair{pem_of(c.get()), pem_of(key.get())};
}

core::Result<core::Digest256> public_key_hash(const std::string& certificate_pem) {
  SYNCLINE_ASSIGN(const Certificate c, read_certificate(certificate_pem));
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(X509_get0_pubkey(c.get()), &der);
  return hash_der(der, size);
}

core::Result<core::Digest256> fingerprint(const std::string& certificate_pem) {
  SYNCLINE_ASSIGN(const Certificate c, read_certificate(certificate_pem));
  unsigned char* der = nullptr;
  const int size = i2d_X509(c.get(), &der);
  return hash_der(der, size);
}

core::Result<Subject> subject_of(const std::string& certificate_pem) {
  SYNCLINE_ASSIGN(const Certificate c, read_certificate(certificate_pem));
  X509_NAME* name = X509_get_subject_name(c.get());
  auto entry = [&](int nid) -> std::string {
    const int at = X509_NAME_get_index_by_NID(name, nid, -1);
    if (at < 0) return {};
    const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
            static_cast<std::size_t>(ASN1_STRING_length(value))};
  };
  return Subject{entry(NID_commonName), entry(NID_organizationName)};
}

core::Result<std::int64_t> expiry_of(const std::string& certificate_pem) {
  SYNCLINE_ASSIGN(const Certificate c, read_certificate(certificate_pem));
  std::tm at{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(c.get()), &at) != 1) return failed("reading an expiry");
  return static_cast<std::int64_t>(timegm(&at));
}

}  // namespace syncline::identity
