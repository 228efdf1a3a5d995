#include "core/sha256.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "core/check.hpp"

namespace syncline::core {

namespace {
// Fetched once: looking an algorithm up by name costs more than hashing a short message.
const EVP_MD* algorithm() {
  static const EVP_MD* const kAlgorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  SYNCLINE_CHECK(kAlgorithm != nullptr, "OpenSSL has no SHA256");
  return kAlgorithm;
}
}  // namespace

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  SYNCLINE_CHECK(EVP_DigestInit_ex2(state_->context, algorithm(), nullptr) == 1,
                 "OpenSSL refused to hash");
}

Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
  SYNCLINE_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1,
                 "OpenSSL refused to hash");
}

Digest256 Sha256::finish() {
  Digest256 digest;
  SYNCLINE_CHECK(EVP_DigestFinal_ex(state_->context, digest.bytes.data(), nullptr) == 1,
                 "OpenSSL refused to hash");
  SYNCLINE_CHECK(EVP_DigestInit_ex2(state_->context, nullptr, nullptr) == 1,
                 "OpenSSL refused to hash");
  return digest;
}

Digest256 sha256(std::string_view bytes) {
  thread_local Sha256 hasher;
  hasher.update(bytes);
  return hasher.finish();
}

}  // namespace syncline::core
