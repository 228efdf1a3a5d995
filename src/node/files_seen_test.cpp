// What the shell makes of changes that are seen at files that it put there itself.
#include <gtest/gtest.h>

#include <thread>

#include "node/files_shell_fixture.hpp"

namespace syncline::node {
namespace {

TEST_F(Shell, what_is_seen_of_a_file_that_landed_is_no_news_until_somebody_changes_it) {
  shell->carry_out(fetch(1, "net.pth", bytes_of(5000, 'a')));
  ASSERT_TRUE(next<engine::FetchDone>().status.ok());
  EXPECT_FALSE(shell->files_changed(kModels, {"net.pth"}));
  EXPECT_TRUE(scan(false).changed.empty());
  put("net.pth", bytes_of(5000, 'b'));
  EXPECT_TRUE(shell->files_changed(kModels, {"net.pth"}));
  const auto scanned = scan_settled(false);
  ASSERT_EQ(scanned.changed.size(), 1u);
  EXPECT_EQ(scanned.changed[0].root, version_of(bytes_of(5000, 'b')).root);
  std::filesystem::remove(at("net.pth"));
  EXPECT_TRUE(shell->files_changed(kModels, {"net.pth"}));
  EXPECT_EQ(scan(false).gone.size(), 1u);
}

// At any moment from its appearance on, also before anybody is told that it landed.
TEST_F(Shell, a_program_that_writes_to_a_file_as_soon_as_it_appears_is_always_noticed) {
  for (std::uint64_t i = 1; i <= 40; ++i) {
    const std::string path = "f" + std::to_string(i);
    const std::string own = bytes_of(700, static_cast<char>(i));
    std::thread program([&] {
      while (!std::filesystem::exists(at(path))) std::this_thread::yield();
      std::this_thread::sleep_for(std::chrono::microseconds(i * 100));
      put(path, own);
      shell->files_changed(kModels, {path});
    });
    shell->carry_out(fetch(i, path, bytes_of(600 + i, 'x')));
    ASSERT_TRUE(next<engine::FetchDone>().status.ok());
    program.join();
    const auto scanned = scan_settled(false);
    ASSERT_EQ(scanned.changed.size(), 1u) << path;
    EXPECT_EQ(scanned.changed[0].root, version_of(own).root);
  }
}

TEST_F(Shell, a_landed_version_is_saved_with_its_file_and_a_later_one_after_it) {
  const std::string bytes = bytes_of(5000, 'a');
  shell->carry_out(fetch(1, "net.pth", bytes));
  ASSERT_TRUE(next<engine::FetchDone>().status.ok());
  core::ObjectVersion version = version_of(bytes);
  tell("net.pth", version);  // what the engine says of it
  version.version.counters[NodeId("me")] = 1;
  tell("net.pth", version);
  stop();
  start();
  const engine::ObjectId object{kModels, "net.pth"};
  ASSERT_EQ(recovered.objects.count(object), 1u);
  EXPECT_EQ(recovered.objects.at(object), version);
  EXPECT_TRUE(scan(true).changed.empty());
}

}  // namespace
}  // namespace syncline::node
