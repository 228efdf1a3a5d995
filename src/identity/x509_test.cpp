#include "identity/x509.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <memory>

namespace syncline::identity {
namespace {

std::unique_ptr<X509, decltype(&X509_free)> parsed(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), &X509_free);
  BIO_free(bio);
  return certificate;
}

std::string issue(const std::string& node, const std::vector<std::string>& hosts) {
  const KeyPair authority = *make_authority({"lab fleet", "lab"});
  const auto own = make_request({node, "lab"}, hosts);
  EXPECT_TRUE(own.ok());
  const auto certificate = sign_request(authority, own->request_pem, {node, "lab"});
  EXPECT_TRUE(certificate.ok());
  return *certificate;
}

bool is_for_host(X509* certificate, const std::string& host) {
  return X509_check_host(certificate, host.c_str(), 0, 0, nullptr) == 1;
}
bool is_for_address(X509* certificate, const char* address) {
  return X509_check_ip_asc(certificate, address, 0) == 1;
}

TEST(Certificate, is_for_its_node_the_fleets_swarms_and_the_hosts_it_asked_for) {
  const auto own = parsed(issue("gpu-1", {"10.0.0.5", "gpu-1.example", "fd00::7"}));
  ASSERT_TRUE(own);
  for (const char* host : {"gpu-1", "syncline-fleet", "gpu-1.example"}) {
    EXPECT_TRUE(is_for_host(own.get(), host)) << host;
  }
  EXPECT_TRUE(is_for_address(own.get(), "10.0.0.5"));
  EXPECT_TRUE(is_for_address(own.get(), "fd00::7"));
  EXPECT_FALSE(is_for_address(own.get(), "10.0.0.6"));
  EXPECT_FALSE(is_for_host(own.get(), "gpu-2"));
}

TEST(Certificate, what_is_no_host_is_left_out_and_their_number_is_bounded) {
  std::vector<std::string> hosts = {"two words", "a,DNS:evil", "", std::string(300, 'x'), "*.lab"};
  for (int i = 0; i < 40; ++i) hosts.push_back("h" + std::to_string(i));
  const auto own = parsed(issue("n", hosts));
  ASSERT_TRUE(own);
  EXPECT_FALSE(is_for_host(own.get(), "evil"));
  EXPECT_FALSE(is_for_host(own.get(), "anything.lab"));
  EXPECT_TRUE(is_for_host(own.get(), "h0"));
  EXPECT_TRUE(is_for_host(own.get(), "h15"));
  EXPECT_FALSE(is_for_host(own.get(), "h16"));
}

TEST(Certificate, outlives_any_year_of_the_fleet) {
  const auto expiry = expiry_of(issue("n", {}));
  ASSERT_TRUE(expiry.ok());
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  EXPECT_GT(*expiry, now + 9 * 365 * 24 * 3600LL);
}

}  // namespace
}  // namespace syncline::identity
