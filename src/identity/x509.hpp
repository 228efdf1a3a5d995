// Keys and certificates, made and looked at. Everything is EC P-256 with SHA-256, but for the
// Ed25519 keys of tokens. Errors: kCorrupt for input that is no certificate, key or request.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "identity/types.hpp"

namespace syncline::identity {

struct Subject {
  std::string common_name;
  std::string organisation;
};

// Beside its own name every node's certificate is for this one: the name of the fleet's torrents
// (transports/swarm), by which libtorrent knows peers.
inline constexpr const char* kSwarmName = "syncline-fleet";

// A CA of its own: path length 0, ten years.
core::Result<KeyPair> make_authority(const Subject& subject);

// A fresh key and a request for its certificate (PEM).
struct KeyAndRequest {
  std::string key_pem;
  std::string request_pem;
};
// `hosts`: names and addresses at which others will reach it over HTTPS, asked for as alternative
// names; what is neither a DNS name nor an IP address is left out.
core::Result<KeyAndRequest> make_request(const Subject& subject,
                                         const std::vector<std::string>& hosts = {});

// Signs the key of a request, whose own signature is checked, for this subject: client and server,
// ten years, backdated by an hour for clocks that are behind. Of the alternative names it asks for,
// the first 16 that are DNS names or IP addresses are granted: they matter only to HTTPS clients
// (aria2c), where nodes know each other by the common name.
core::Result<std::string> sign_request(const KeyPair& authority, const std::string& request_pem,
                                       const Subject& subject);

// A self-signed certificate over the Ed25519 key that this 32-byte seed makes.
core::Result<KeyPair> make_token_certificate(std::string_view seed);

// SHA-256 of the public key (SubjectPublicKeyInfo, DER) and of the certificate (DER).
core::Result<core::Digest256> public_key_hash(const std::string& certificate_pem);
core::Result<core::Digest256> fingerprint(const std::string& certificate_pem);
core::Result<Subject> subject_of(const std::string& certificate_pem);
// Seconds since 1970 until which it is valid.
core::Result<std::int64_t> expiry_of(const std::string& certificate_pem);

}  // namespace syncline::identity
