#include "core/hex.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace syncline::core {
namespace {

RC_GTEST_PROP(Hex, gives_back_every_byte, (const std::string& bytes)) {
  RC_ASSERT(bytes_of_hex(hex_of(bytes)) == bytes);
}

TEST(Hex, refuses_what_it_cannot_have_written) {
  for (const char* text : {"a", "0g", "AB", " 0", "0x"}) EXPECT_FALSE(bytes_of_hex(text)) << text;
  EXPECT_EQ(bytes_of_hex(""), "");
}

}  // namespace
}  // namespace syncline::core
