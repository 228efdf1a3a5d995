#include "core/sha256_many.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <thread>

#include "core/merkle.hpp"
#include "core/sha256.hpp"
#include "core/test_bytes.hpp"

namespace syncline::core {
namespace {

std::vector<Digest256> one_after_the_other(std::string_view bytes, std::size_t message_bytes) {
  std::vector<Digest256> digests;
  for (std::size_t at = 0; at < bytes.size(); at += message_bytes) {
    digests.push_back(sha256(bytes.substr(at, message_bytes)));
  }
  return digests;
}

RC_GTEST_PROP(Sha256Many, gives_what_one_after_the_other_gives, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(0, 20'000);
  const auto message_bytes = *rc::gen::inRange<std::size_t>(1, 1'000);
  const std::string bytes = test_bytes(size);
  RC_ASSERT(sha256_many(bytes, message_bytes) == one_after_the_other(bytes, message_bytes));
}

TEST(Sha256Many, any_number_of_blocks_with_or_without_a_part_of_one_is_hashed_right) {
  const std::string bytes = test_bytes(40 * kBlockBytes);
  for (std::size_t blocks = 0; blocks < 40; ++blocks) {
    for (const std::size_t more : {std::size_t{0}, std::size_t{1}, kBlockBytes - 1}) {
      const auto some = std::string_view(bytes).substr(0, blocks * kBlockBytes + more);
      EXPECT_EQ(sha256_many(some, kBlockBytes), one_after_the_other(some, kBlockBytes))
          << blocks << " blocks and " << more << " bytes";
    }
  }
}

TEST(Sha256Many, threads_do_not_disturb_each_other) {
  const std::string bytes = test_bytes(64 * kBlockBytes);
  const auto wanted = one_after_the_other(bytes, kBlockBytes);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (int& mine : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) mine += sha256_many(bytes, kBlockBytes) != wanted;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

}  // namespace
}  // namespace syncline::core
