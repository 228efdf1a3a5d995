#include "identity/token.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace syncline::identity {
namespace {

Token a_token() {
  Token token;
  token.expires_at_s = 1'800'000'000;
  token.ca_fingerprint.bytes[5] = 7;
  token.seed = std::string(32, 's');
  token.fleet = "lab";
  token.addresses = {"10.0.0.1:8750", "[::1]:8750"};
  return token;
}

TEST(Token, comes_back_as_it_was_made_line_end_and_all) {
  const auto back = decode_token(encode(a_token()) + "\n");
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, a_token());
}

TEST(Token, is_refused_when_cut_or_changed_into_something_else) {
  const std::string text = encode(a_token());
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(decode_token(text.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(decode_token("syncline2" + text.substr(9)).ok());
  EXPECT_FALSE(decode_token(text + "A").ok());
  EXPECT_FALSE(decode_token(std::string(5000, 'A')).ok());
}

RC_GTEST_PROP(TokenProperty, no_text_crashes_and_what_decodes_encodes_the_same, ()) {
  std::string text = encode(a_token());
  const int edits = *rc::gen::inRange(1, 4);
  for (int i = 0; i < edits; ++i) {
    text[*rc::gen::inRange<std::size_t>(0, text.size())] = *rc::gen::arbitrary<char>();
  }
  const auto token = decode_token(text);
  if (token.ok()) RC_ASSERT(encode(*token) == text.substr(0, encode(*token).size()));
}

}  // namespace
}  // namespace syncline::identity
