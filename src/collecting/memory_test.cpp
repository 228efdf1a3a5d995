#include "collecting/memory.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/sha256.hpp"

namespace syncline::collecting {
namespace {

const core::NodeId kHost("h");

RC_GTEST_PROP(AgentlessMemory, reads_back_what_it_wrote, ()) {
  Memory memory;
  for (const auto& path : *rc::gen::arbitrary<std::vector<std::string>>()) {
    const auto number = *rc::gen::arbitrary<std::uint32_t>();
    memory[{kHost, core::CollectionName("games"), path}] = {
        {number, -static_cast<std::int64_t>(number), number / 2, 7}, core::sha256(path)};
  }
  const auto read = decode_memory(encode_memory(memory, kHost), kHost);
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == memory);
}

TEST(AgentlessMemory, refuses_what_was_torn_or_changed) {
  Memory memory;
  memory[{kHost, core::CollectionName("games"), "a.db"}] = {{1, 2, 3, 4}, {}};
  const std::string text = encode_memory(memory, kHost);
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    EXPECT_FALSE(decode_memory(text.substr(0, cut), kHost).ok()) << cut;
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(decode_memory(changed, kHost).ok()) << at;
  }
}

TEST(AgentlessMemory, keeps_hosts_apart) {
  Memory memory;
  memory[{core::NodeId("other"), core::CollectionName("games"), "a.db"}] = {};
  const auto read = decode_memory(encode_memory(memory, kHost), kHost);
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(read->empty());
}

}  // namespace
}  // namespace syncline::collecting
