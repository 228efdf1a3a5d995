#include "net/tls.hpp"

#include <openssl/x509.h>

#include "core/sha256.hpp"

namespace syncline::net {

namespace {
core::Digest256 hash_and_free(unsigned char* der, int size) {
  if (size <= 0) return {};
  const core::Digest256 hash =
      core::sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return hash;
}
}  // namespace

core::Status set_up(asio::ssl::context& context, const TlsIdentity& identity) {
  std::error_code error;
  SSL_CTX* raw = context.native_handle();
  SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_num_tickets(raw, 0);
  // Records of many blocks go out in full 16 KiB pieces; AES-128 first: fastest where AES is built
  // in.
  SSL_CTX_set_ciphersuites(raw,
                           "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                           "TLS_CHACHA20_POLY1305_SHA256");
  const std::string chain = identity.certificate_pem + identity.ca_pem;
  context.use_certificate_chain(asio::buffer(chain), error);
  if (!error) {
    context.use_private_key(asio::buffer(identity.key_pem), asio::ssl::context::pem, error);
  }
  if (!error && !identity.ca_pem.empty()) {
    context.add_certificate_authority(asio::buffer(identity.ca_pem), error);
  }
  if (error) {
    return core::Error{core::ErrorKind::kCorrupt,
                       "the node's certificate cannot be used: " + error.message(), ""};
  }
  context.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
  return {};
}

std::string common_name(X509* certificate) {
  char name[256] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof(name));
  return name;
}

core::Digest256 public_key_hash(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(X509_get0_pubkey(certificate), &der);
  return hash_and_free(der, size);
}

core::Digest256 fingerprint(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  return hash_and_free(der, size);
}

core::Result<HostPort> parse_host_port(const std::string& text) {
  const std::size_t colon = text.find_last_of(':');
  std::string host = colon == std::string::npos ? "" : text.substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  const bool is_number = !port.empty() && port.size() <= 5 &&
                         port.find_first_not_of("0123456789") == std::string::npos &&
                         std::stoi(port) <= 65535;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    host.clear();
  }
  if (!is_number || host.empty()) {
    return core::Error{core::ErrorKind::kInvalid, "an address is written host:port, or [v6]:port",
                       text};
  }
  return HostPort{host, port};
}

}  // namespace syncline::net
