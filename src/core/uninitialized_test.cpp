#include "core/uninitialized.hpp"

#include <gtest/gtest.h>

namespace syncline::core {
namespace {

TEST(Uninitialized, gives_the_size_asked_for_and_keeps_what_was_there) {
  for (const std::size_t before : {0u, 1u, 15u, 16u, 40u}) {
    for (std::size_t size = 0; size < 100; ++size) {
      std::string text(before, 'x');
      resize_for_overwrite(text, size);
      ASSERT_EQ(text.size(), size) << "from " << before;
      const std::size_t kept = std::min(before, size);
      EXPECT_EQ(text.substr(0, kept), std::string(kept, 'x'));
      EXPECT_EQ(text.c_str()[size], '\0');
    }
  }
}

}  // namespace
}  // namespace syncline::core
