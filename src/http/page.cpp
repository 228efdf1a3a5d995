#include "http/page.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>

namespace syncline::http {

// Made by embed.cmake from page/.
extern const unsigned char kPageBytes[];
extern const std::size_t kPageSize;

namespace {

// "'sha256-…'" of the text between the two tags.
std::string hash_between(std::string_view html, std::string_view open, std::string_view close) {
  const std::size_t from = html.find(open) + open.size();
  const std::string_view inside = html.substr(from, html.find(close, from) - from);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(inside.data()), inside.size(), digest.data());
  std::array<unsigned char, 4 * ((SHA256_DIGEST_LENGTH + 2) / 3) + 1> text{};
  const int length = EVP_EncodeBlock(text.data(), digest.data(), SHA256_DIGEST_LENGTH);
  return "'sha256-" +
         std::string(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length)) +
         "'";
}

}  // namespace

std::string_view page_html() {
  return {reinterpret_cast<const char*>(kPageBytes), kPageSize};
}

std::string page_security_policy() {
  return "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; "
         "form-action 'none'; frame-ancestors 'none'; style-src " +
         hash_between(page_html(), "<style>", "</style>") + "; script-src " +
         hash_between(page_html(), "<script>", "</script>");
}

}  // namespace syncline::http
