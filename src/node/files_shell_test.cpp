#include "node/files_shell.hpp"

#include <gtest/gtest.h>

#include "node/files_shell_fixture.hpp"

namespace syncline::node {
namespace {

TEST_F(Shell, a_fetched_file_is_in_its_place_and_in_the_database_when_it_is_told) {
  const std::string bytes = bytes_of(3 << 20, 'a');
  const engine::Fetch action = fetch(7, "sub/net.pth", bytes);
  shell->carry_out(action);
  const auto done = next<engine::FetchDone>();
  ASSERT_TRUE(done.status.ok()) << core::to_string(done.status.error());
  EXPECT_EQ(done.job, 7u);
  EXPECT_EQ(done.bytes, bytes.size());
  EXPECT_EQ(done.served_by, NodeId("far"));
  EXPECT_TRUE(read_file(at("sub/net.pth")) == bytes);
  const auto notes = *store->files(kModels);
  ASSERT_EQ(notes.count("sub/net.pth"), 1u);
  EXPECT_EQ(notes.at("sub/net.pth").version, action.object);
  EXPECT_TRUE(decode_known_file(notes.at("sub/net.pth").known).has_value());
}

TEST_F(Shell, what_landed_is_no_news_to_a_scan) {
  shell->carry_out(fetch(1, "net.pth", bytes_of(5000, 'a')));
  ASSERT_TRUE(next<engine::FetchDone>().status.ok());
  EXPECT_TRUE(scan(true).changed.empty());
}

TEST_F(Shell, a_new_file_is_found_once_and_remembered_over_a_restart) {
  const std::string bytes = bytes_of(5000, 'b');
  put("new.npz", bytes);
  const auto first = scan_settled(true);
  ASSERT_EQ(first.changed.size(), 1u);
  EXPECT_EQ(first.changed[0].root, version_of(bytes).root);
  tell("new.npz", version_of(bytes));
  EXPECT_TRUE(scan(true).changed.empty());
  stop();
  start();
  EXPECT_EQ(recovered.objects.count({kModels, "new.npz"}), 1u);
  EXPECT_TRUE(scan(true).changed.empty());
}

TEST_F(Shell, a_file_whose_version_was_never_saved_is_found_again_after_a_restart) {
  put("new.npz", bytes_of(5000, 'b'));
  ASSERT_EQ(scan_settled(true).changed.size(), 1u);
  stop();
  start();
  EXPECT_TRUE(recovered.objects.empty());
  EXPECT_EQ(scan(true).changed.size(), 1u);
}

TEST_F(Shell, a_scan_that_is_not_full_looks_only_where_something_changed) {
  put("a", bytes_of(100, 'a'));
  put("b", bytes_of(100, 'b'));
  EXPECT_TRUE(shell->files_changed(kModels, {"b", ".syncline/staging/x"}));
  EXPECT_FALSE(shell->files_changed(kModels, {".syncline/staging/x"}));
  const auto scanned = scan_settled(false);
  ASSERT_EQ(scanned.changed.size(), 1u);
  EXPECT_EQ(scanned.changed[0].path, "b");
  EXPECT_TRUE(scan(false).changed.empty());
}

TEST_F(Shell, content_that_is_here_under_another_path_is_copied_and_not_fetched) {
  const std::string bytes = bytes_of((2 << 20) + 11, 'c');
  shell->carry_out(fetch(1, "first.pth", bytes));
  ASSERT_TRUE(next<engine::FetchDone>().status.ok());
  shell->carry_out(fetch(2, "second.pth", bytes));
  const auto done = next<engine::FetchDone>();
  ASSERT_TRUE(done.status.ok()) << core::to_string(done.status.error());
  EXPECT_EQ(done.bytes, 0u);
  EXPECT_EQ(transport.fetches, 1);
  EXPECT_TRUE(read_file(at("second.pth")) == bytes);
}

TEST_F(Shell, a_newer_version_takes_from_the_older_one_what_is_the_same) {
  std::string bytes = bytes_of(8 << 20, 'd');
  engine::Fetch older = fetch(1, "games.db", bytes);
  shell->carry_out(older);
  ASSERT_TRUE(next<engine::FetchDone>().status.ok());
  bytes[(5 << 20) + 77] ^= 1;
  transport.pieces = 0;
  engine::Fetch newer = fetch(2, "games.db", bytes);
  newer.replaces = older.object.root;
  shell->carry_out(newer);
  const auto done = next<engine::FetchDone>();
  ASSERT_TRUE(done.status.ok()) << core::to_string(done.status.error());
  EXPECT_EQ(transport.pieces, 1);
  EXPECT_TRUE(done.conflict_copy.empty());
  EXPECT_TRUE(read_file(at("games.db")) == bytes);
}

TEST_F(Shell, a_local_version_that_nobody_expected_is_kept_and_named) {
  put("net.pth", "mine");
  shell->carry_out(fetch(1, "net.pth", "theirs"));
  const auto done = next<engine::FetchDone>();
  ASSERT_TRUE(done.status.ok()) << core::to_string(done.status.error());
  ASSERT_FALSE(done.conflict_copy.empty());
  EXPECT_EQ(read_file(at(done.conflict_copy)), "mine");
  EXPECT_EQ(read_file(at("net.pth")), "theirs");
}

TEST_F(Shell, many_small_files_all_land) {
  constexpr int kFiles = 300;
  for (int i = 0; i < kFiles; ++i) {
    shell->carry_out(fetch(static_cast<std::uint64_t>(i) + 1, "g/" + std::to_string(i),
                           "game " + std::to_string(i)));
  }
  for (int i = 0; i < kFiles; ++i) EXPECT_TRUE(next<engine::FetchDone>().status.ok());
  EXPECT_EQ(store->files(kModels)->size(), static_cast<std::size_t>(kFiles));
  EXPECT_EQ(read_file(at("g/299")), "game 299");
}

TEST_F(Shell, a_transport_that_is_not_here_is_refused_with_its_name) {
  engine::Fetch action = fetch(1, "x", "x");
  action.transport = "aria2";
  shell->carry_out(action);
  const auto done = next<engine::FetchDone>();
  ASSERT_FALSE(done.status.ok());
  EXPECT_EQ(done.status.error().kind, ErrorKind::kInvalid);
  EXPECT_NE(done.status.error().what.find("aria2"), std::string::npos);
  EXPECT_EQ(transport.fetches, 0);
}

TEST_F(Shell, a_removed_file_is_reported_gone_by_the_scan_that_follows) {
  const engine::Fetch action = fetch(1, "old.pth", "old");
  shell->carry_out(action);
  ASSERT_TRUE(next<engine::FetchDone>().status.ok());
  shell->carry_out(engine::RemoveFile{kModels, "old.pth", action.object.root});
  next<engine::SourceChanged>();
  EXPECT_FALSE(std::filesystem::exists(at("old.pth")));
  const auto scanned = scan(false);
  ASSERT_EQ(scanned.gone.size(), 1u);
  EXPECT_EQ(scanned.gone[0], "old.pth");
}

TEST_F(Shell, a_file_that_is_not_the_expected_version_is_not_removed) {
  shell->carry_out(fetch(1, "old.pth", "old"));
  ASSERT_TRUE(next<engine::FetchDone>().status.ok());
  shell->carry_out(engine::RemoveFile{kModels, "old.pth", version_of("other").root});
  next<engine::SourceChanged>();
  EXPECT_EQ(read_file(at("old.pth")), "old");
}

TEST_F(Shell, what_is_here_is_served_by_its_root_until_it_changes) {
  const std::string bytes = bytes_of((1 << 20) + 5, 'e');
  const engine::Fetch action = fetch(1, "net.pth", bytes);
  shell->carry_out(action);
  ASSERT_TRUE(next<engine::FetchDone>().status.ok());
  const auto opened = shell->opener()(action.object.root);
  ASSERT_TRUE(opened.ok());
  std::string read(100, '\0');
  ASSERT_EQ((*opened)->read_at(1 << 20, std::span<char>(read)).value_or(0), 5u);
  EXPECT_EQ((*opened)->piece_layer()->size(), 5u);
  EXPECT_TRUE(shell->open_for_http(action.object.root).ok());
  put("net.pth", "changed");
  EXPECT_FALSE((*opened)->read_at(0, std::span<char>(read)).ok());
  EXPECT_EQ(shell->opener()(action.object.root).error().kind, ErrorKind::kMissing);
}

TEST_F(Shell, a_proof_names_a_damaged_file) {
  shell->carry_out(fetch(1, "good", "good"));
  ASSERT_TRUE(next<engine::FetchDone>().status.ok());
  shell->carry_out(fetch(2, "bad", "well"));
  ASSERT_TRUE(next<engine::FetchDone>().status.ok());
  stop();
  // The disk rots: other bytes under the same stamp (the kernel's ctime cannot be set back, so it
  // is taken out of what is remembered).
  const auto time = std::filesystem::last_write_time(at("bad"));
  std::fstream(at("bad"), std::ios::in | std::ios::out) << "hell";
  std::filesystem::last_write_time(at("bad"), time);
  {
    auto reopened = std::move(storage::Store::open(state.path, config.node.id)).value();
    auto known = *decode_known_file(reopened->files(kModels)->at("bad").known);
    known.stamp.ctime_ns = 0;
    const storage::FileChange rotten{"bad", encode(known), std::nullopt};
    ASSERT_TRUE(reopened->save_files(kModels, {{rotten}}).ok());
  }
  start();
  shell->verify(kModels);
  const auto proof = next<engine::VerifyDone>();
  EXPECT_EQ(proof.checked, 2u);
  EXPECT_EQ(proof.damaged, std::vector<std::string>{"bad"});
}

TEST(KnownFile, comes_back_as_it_was_and_damage_is_noticed) {
  collections::files::KnownFile known;
  known.root = version_of("x").root;
  known.stamp = {5, -3, 77, 12, 0644};
  const std::string text = encode(known);
  EXPECT_EQ(decode_known_file(text), known);
  for (std::size_t cut = 0; cut < text.size() - 3; ++cut) {
    EXPECT_FALSE(decode_known_file(text.substr(0, cut)) == known);
  }
  EXPECT_FALSE(decode_known_file(text + " 1"));
  EXPECT_FALSE(decode_known_file(""));
}

}  // namespace
}  // namespace syncline::node
