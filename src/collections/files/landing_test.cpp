#include "collections/files/landing.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <thread>

#include "collections/files/files_test_support.hpp"
#include "collections/files/finishing.hpp"
#include "collections/files/tree.hpp"

namespace syncline::collections::files {
namespace {

class LandingTest : public FilesTest {
 protected:
  LandingTest() { site_ = open(); }
  std::unique_ptr<LandingSite> open() {
    return std::move(LandingSite::open(config_, core::NodeId("node-1"))).value();
  }
  std::unique_ptr<Landing> begin(LandingRequest request) {
    auto landing = site_->begin(std::move(request));
    EXPECT_TRUE(landing.ok()) << (landing.ok() ? "" : to_string(landing.error()));
    return landing.ok() ? std::move(*landing) : nullptr;
  }
  // From request to the file in its place.
  core::Result<Landed> land(const LandingRequest& request, std::string_view content) {
    SYNCLINE_ASSIGN(auto landing, site_->begin(request));
    write_missing(*landing, content);
    return landing->finish();
  }
  std::vector<std::string> staged() const {
    std::vector<std::string> names;
    for (const auto& e : std::filesystem::directory_iterator(at(".syncline/staging"))) {
      names.push_back(e.path().filename().string());
    }
    return names;
  }
  std::vector<std::string> conflict_copies() const {
    std::vector<std::string> found;
    for (const auto& e : std::filesystem::recursive_directory_iterator(config_.root)) {
      const std::string name = e.path().filename().string();
      if (name.find(".sync-conflict-") != std::string::npos) found.push_back(name);
    }
    return found;
  }

  std::unique_ptr<LandingSite> site_;
};

TEST_F(LandingTest, lands_objects_of_every_size_with_their_mode_and_time) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{kPieceBytes},
                                 std::size_t{kPieceBytes + 1}, std::size_t{9 * kPieceBytes + 5}}) {
    const std::string content = test_bytes(size);
    const std::string path = "deep/er/" + std::to_string(size) + ".pth";
    const auto landed = land(request_for(path, content), content);
    ASSERT_TRUE(landed.ok()) << size << ": " << to_string(landed.error());
    EXPECT_TRUE(get(path) == content) << size;
    EXPECT_EQ(landed->known.root, root_of(content));
    struct stat info {};
    ASSERT_EQ(::stat(at(path).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0640u);
    EXPECT_EQ(info.st_mtim.tv_sec, 1'700'000'000);
    EXPECT_EQ(info.st_mtim.tv_nsec, 123'000'000);
  }
  EXPECT_TRUE(staged().empty());
}

TEST_F(LandingTest, a_landed_file_is_known_and_no_scan_reads_it_again) {
  const std::string content = test_bytes(100'000);
  const auto landed = land(request_for("a", content), content);
  ASSERT_TRUE(landed.ok());
  auto tree = std::move(Tree::open(config_)).value();
  const ScanOutcome outcome = tree->scan({{"a", landed->known}}, nullptr, later());
  EXPECT_TRUE(outcome.changed.empty());
  EXPECT_EQ(outcome.bytes_hashed, 0u);
}

TEST_F(LandingTest, nothing_is_visible_before_it_is_finished) {
  const std::string content = test_bytes(3 * kPieceBytes);
  auto landing = begin(request_for("d/a", content));
  write_missing(*landing, content);
  EXPECT_FALSE(exists("d/a"));
  EXPECT_TRUE(landing->finish().ok());
  EXPECT_TRUE(exists("d/a"));
}

TEST_F(LandingTest, a_wrong_piece_is_refused_and_leaves_no_trace) {
  const std::string content = test_bytes(2 * kPieceBytes + 3);
  auto landing = begin(request_for("a", content));
  std::string wrong = content.substr(0, kPieceBytes);
  wrong[kPieceBytes / 2] ^= 1;
  EXPECT_EQ(landing->write_piece(0, wrong).error().kind, core::ErrorKind::kCorrupt);
  EXPECT_FALSE(landing->has_piece(0));
  const std::string_view right(content);
  EXPECT_EQ(landing->write_piece(0, right.substr(0, 5)).error().kind, core::ErrorKind::kCorrupt);
  EXPECT_EQ(landing->write_piece(9, right.substr(0, 5)).error().kind, core::ErrorKind::kCorrupt);
  EXPECT_EQ(landing->write_piece(1, right.substr(0, kPieceBytes)).error().kind,
            core::ErrorKind::kCorrupt);
  EXPECT_EQ(write_missing(*landing, content), 3u);
  EXPECT_TRUE(landing->finish().ok());
}

TEST_F(LandingTest, blocks_that_were_hashed_on_arrival_are_not_hashed_again_but_still_checked) {
  const std::string content = test_bytes(kPieceBytes + 20'000);
  auto landing = begin(request_for("a", content));
  const std::string_view first = std::string_view(content).substr(0, kPieceBytes);
  auto hashes = core::block_hashes(first);
  hashes[3].bytes[0] ^= 1;
  EXPECT_FALSE(landing->write_piece(0, first, hashes).ok());
  hashes.pop_back();
  EXPECT_FALSE(landing->write_piece(0, first, hashes).ok());
  EXPECT_TRUE(landing->write_piece(0, first, core::block_hashes(first)).ok());
}

TEST_F(LandingTest, does_not_finish_while_pieces_are_missing) {
  const std::string content = test_bytes(2 * kPieceBytes);
  auto landing = begin(request_for("a", content));
  ASSERT_TRUE(landing->write_piece(1, std::string_view(content).substr(kPieceBytes)).ok());
  EXPECT_EQ(landing->finish().error().kind, core::ErrorKind::kConflict);
  EXPECT_EQ(landing->missing(), std::string(1, '\x01'));
  EXPECT_EQ(landing->bytes_present(), kPieceBytes);
  EXPECT_FALSE(exists("a"));
}

TEST_F(LandingTest, goes_on_where_it_was_interrupted) {
  const std::string content = test_bytes(40 * kPieceBytes + 77);
  auto landing = begin(request_for("a", content));
  for (const std::uint64_t piece : {0, 4, 40}) {
    const auto bytes = std::string_view(content).substr(piece * kPieceBytes, kPieceBytes);
    ASSERT_TRUE(landing->write_piece(piece, bytes).ok());
  }
  landing.reset();
  site_ = open();  // another start of the daemon
  landing = begin(request_for("a", content));
  EXPECT_EQ(landing->bytes_present(), 2 * kPieceBytes + 77);
  EXPECT_EQ(write_missing(*landing, content), 38u);
  EXPECT_TRUE(landing->finish().ok());
  EXPECT_TRUE(get("a") == content);
}

TEST_F(LandingTest, what_was_not_synced_is_not_claimed) {
  const std::string content = test_bytes(40 * kPieceBytes);
  auto landing = begin(request_for("a", content));
  ASSERT_TRUE(landing->write_piece(0, std::string_view(content).substr(0, kPieceBytes)).ok());
  ASSERT_TRUE(landing->checkpoint().ok());
  ASSERT_TRUE(
      landing->write_piece(1, std::string_view(content).substr(kPieceBytes, kPieceBytes)).ok());
  // The notes on disk speak of piece 0 only: a second site, as after a crash, sees one piece.
  auto other = open();
  auto resumed = other->begin(request_for("a", content));
  ASSERT_TRUE(resumed.ok());
  EXPECT_TRUE(resumed.value()->has_piece(0));
  EXPECT_FALSE(resumed.value()->has_piece(1));
}

TEST_F(LandingTest, notes_that_outlived_their_data_claim_nothing_of_the_next_file) {
  const std::string content = test_bytes(36 * kPieceBytes);
  auto landing = begin(request_for("a", content));
  write_missing(*landing, content);
  ASSERT_TRUE(landing->checkpoint().ok());
  landing.reset();
  // As a kill between the object's move into its place and the removal of its notes leaves it.
  for (const std::string& name : staged()) {
    if (name.find(".data") != std::string::npos)
      std::filesystem::remove(at(".syncline/staging/" + name));
  }
  begin(request_for("a", content)).reset();  // killed before its first checkpoint
  landing = begin(request_for("a", content));
  EXPECT_EQ(landing->bytes_present(), 0u);
}

TEST_F(LandingTest, notes_that_are_damaged_cost_a_new_fetch_and_nothing_else) {
  const std::string content = test_bytes(36 * kPieceBytes);
  auto landing = begin(request_for("a", content));
  ASSERT_TRUE(landing->write_piece(0, std::string_view(content).substr(0, kPieceBytes)).ok());
  landing.reset();
  for (const std::string& name : staged()) {
    if (name.find(".meta") == std::string::npos) continue;
    std::ofstream(at(".syncline/staging/" + name), std::ios::in | std::ios::out) << "damage";
  }
  landing = begin(request_for("a", content));
  EXPECT_EQ(landing->bytes_present(), 0u);
  write_missing(*landing, content);
  EXPECT_TRUE(landing->finish().ok());
  EXPECT_TRUE(get("a") == content);
}

TEST_F(LandingTest, takes_from_an_older_version_what_it_already_has) {
  const std::string older = test_bytes(12 * kPieceBytes + 500);
  std::string newer = older;
  newer[3 * kPieceBytes + 9] ^= 1;                                     // one piece changed
  newer.replace(6 * kPieceBytes, kPieceBytes, older, 0, kPieceBytes);  // one moved
  newer += test_bytes(kPieceBytes, 9);                                 // some appended
  put("a", older);
  auto landing = begin(request_for("a", newer, root_of(older)));
  const auto reused = landing->reuse_from("a");
  ASSERT_TRUE(reused.ok());
  EXPECT_EQ(*reused, 11 * kPieceBytes);
  EXPECT_EQ(landing->missing_pieces(99), (std::vector<std::uint64_t>{3, 12, 13}));
  write_missing(*landing, newer);
  EXPECT_TRUE(landing->finish().ok());
  EXPECT_TRUE(get("a") == newer);
  EXPECT_TRUE(conflict_copies().empty());
}

TEST_F(LandingTest, reuses_nothing_from_a_file_that_is_not_there_or_a_path_that_escapes) {
  const std::string content = test_bytes(2 * kPieceBytes);
  auto landing = begin(request_for("a", content));
  EXPECT_EQ(landing->reuse_from("none").error().kind, core::ErrorKind::kMissing);
  EXPECT_EQ(landing->reuse_from("../x").error().kind, core::ErrorKind::kInvalid);
}

TEST_F(LandingTest, replaces_the_version_it_was_told_to_and_leaves_no_copy) {
  put("a", "old");
  const auto landed = land(request_for("a", "new", root_of("old")), "new");
  ASSERT_TRUE(landed.ok());
  EXPECT_EQ(landed->conflict_copy, "");
  EXPECT_EQ(get("a"), "new");
  EXPECT_TRUE(conflict_copies().empty());
  EXPECT_TRUE(staged().empty());
}

TEST_F(LandingTest, keeps_a_version_that_it_did_not_expect_beside_the_new_one) {
  put("m/a.pth", "local work");
  const auto landed = land(request_for("m/a.pth", "new", root_of("old")), "new");
  ASSERT_TRUE(landed.ok());
  EXPECT_EQ(get("m/a.pth"), "new");
  ASSERT_EQ(conflict_copies().size(), 1u);
  EXPECT_EQ(landed->conflict_copy, "m/" + conflict_copies()[0]);
  EXPECT_EQ(get(landed->conflict_copy), "local work");
  EXPECT_NE(landed->conflict_copy.find("-node-1.pth"), std::string::npos);
}

TEST_F(LandingTest, keeps_a_file_that_appeared_where_nothing_was_expected) {
  put("a", "appeared");
  const auto landed = land(request_for("a", "new"), "new");
  ASSERT_TRUE(landed.ok());
  EXPECT_EQ(get(landed->conflict_copy), "appeared");
}

TEST_F(LandingTest, the_same_content_is_no_conflict) {
  put("a", "same");
  EXPECT_EQ(land(request_for("a", "same"), "same")->conflict_copy, "");
  EXPECT_TRUE(conflict_copies().empty());
}

TEST_F(LandingTest, a_file_that_somebody_is_writing_is_kept_even_if_it_looks_like_the_old_one) {
  put("a", "old");
  const int writer = ::open(at("a").c_str(), O_WRONLY);
  const auto landed = land(request_for("a", "new", root_of("old")), "new");
  ASSERT_TRUE(landed.ok());
  ASSERT_EQ(::pwrite(writer, "OLD", 3, 0), 3);
  ::close(writer);
  EXPECT_EQ(get(landed->conflict_copy), "OLD");
  EXPECT_EQ(get("a"), "new");
}

TEST_F(LandingTest, many_losers_get_names_of_their_own_and_equal_ones_share) {
  for (const char* loser : {"one", "two", "one"}) {
    put("a", loser);
    const timespec times[2] = {{1000, 0}, {1000, 0}};
    ::utimensat(AT_FDCWD, at("a").c_str(), times, 0);
    ASSERT_TRUE(land(request_for("a", "new", root_of("x")), "new").ok());
  }
  EXPECT_EQ(conflict_copies().size(), 2u);
}

TEST_F(LandingTest, a_path_that_escapes_or_is_ours_is_refused) {
  std::filesystem::create_directory(folder_ + "/outside");
  std::filesystem::create_directory_symlink(folder_ + "/outside", at("link"));
  std::filesystem::create_symlink(folder_ + "/outside/x", at("file-link"));
  const std::string large = test_bytes(kPieceBytes + 1);
  for (const char* path : {"../outside/x", "/tmp/x", "link/x", "file-link", "a/../../outside/x",
                           ".syncline/staging/x", ".syncline", ""}) {
    const auto landing = site_->begin(request_for(path, large));
    ASSERT_FALSE(landing.ok()) << path;
    EXPECT_EQ(landing.error().kind, core::ErrorKind::kInvalid) << path;
    // Of a single piece before it is placed.
    const auto landed = land(request_for(path, "x"), "x");
    ASSERT_FALSE(landed.ok()) << path;
    EXPECT_EQ(landed.error().kind, core::ErrorKind::kInvalid) << path;
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_ + "/outside"));
}

TEST_F(LandingTest, a_link_that_is_put_in_the_way_during_the_landing_is_not_followed) {
  std::filesystem::create_directory(folder_ + "/outside");
  std::filesystem::create_directory(at("d"));
  auto landing = begin(request_for("d/x", "x"));
  write_missing(*landing, "x");
  std::filesystem::remove(at("d"));
  std::filesystem::create_directory_symlink(folder_ + "/outside", at("d"));
  EXPECT_FALSE(landing->finish().ok());
  EXPECT_TRUE(std::filesystem::is_empty(folder_ + "/outside"));
}

TEST_F(LandingTest, a_folder_or_pipe_at_the_path_is_left_alone) {
  std::filesystem::create_directories(at("d/inside"));
  const std::string large = test_bytes(kPieceBytes + 1);
  EXPECT_EQ(site_->begin(request_for("d", large)).error().kind, core::ErrorKind::kInvalid);
  EXPECT_EQ(land(request_for("d", "x"), "x").error().kind, core::ErrorKind::kInvalid);
  EXPECT_TRUE(std::filesystem::is_directory(at("d/inside")));
  auto landing = begin(request_for("late", "x"));
  write_missing(*landing, "x");
  std::filesystem::create_directories(at("late/folder"));
  EXPECT_EQ(landing->finish().error().kind, core::ErrorKind::kInvalid);
  EXPECT_TRUE(std::filesystem::is_directory(at("late/folder")));
}

TEST_F(LandingTest, a_request_that_contradicts_itself_is_refused) {
  const std::string content = test_bytes(3 * kPieceBytes);
  LandingRequest request = request_for("a", content);
  request.piece_layer[1].bytes[0] ^= 1;
  EXPECT_FALSE(site_->begin(request).ok());
  request.piece_layer.pop_back();
  EXPECT_FALSE(site_->begin(request).ok());
  request = request_for("a", content);
  request.object.size_bytes = 0;
  EXPECT_FALSE(site_->begin(request).ok());
  request.object.size_bytes = std::uint64_t{1} << 60;
  EXPECT_FALSE(site_->begin(request).ok());
  request = request_for("a", content);
  request.object.is_deleted = true;
  EXPECT_FALSE(site_->begin(request).ok());
  EXPECT_TRUE(staged().empty());
}

TEST_F(LandingTest, one_path_is_landed_once_at_a_time) {
  auto first = begin(request_for("a", "one"));
  EXPECT_EQ(site_->begin(request_for("a", "two")).error().kind, core::ErrorKind::kOverloaded);
  first.reset();
  EXPECT_TRUE(site_->begin(request_for("a", "two")).ok());
}

TEST_F(LandingTest, what_an_outside_program_fetched_counts_only_if_it_is_the_object) {
  const std::string content = test_bytes(5 * kPieceBytes + 3);
  LandingRequest request = request_for("a", content);
  request.piece_layer.clear();
  auto landing = begin(request);
  EXPECT_EQ(landing->write_piece(0, content.substr(0, kPieceBytes)).error().kind,
            core::ErrorKind::kInvalid);
  std::ofstream(landing->staged_path(), std::ios::binary) << test_bytes(content.size(), 2);
  EXPECT_EQ(landing->verify_all().error().kind, core::ErrorKind::kCorrupt);
  EXPECT_FALSE(landing->finish().ok());
  // As rsync does: a new file, renamed over the staged one.
  std::ofstream(folder_ + "/fetched", std::ios::binary) << content;
  std::filesystem::rename(folder_ + "/fetched", landing->staged_path());
  EXPECT_TRUE(landing->verify_all().ok());
  EXPECT_TRUE(landing->finish().ok());
  EXPECT_TRUE(get("a") == content);
}

TEST_F(LandingTest, a_thousand_small_files_are_finished_together) {
  std::vector<std::unique_ptr<Landing>> landings;
  std::vector<Landing*> pointers;
  put("d0/f0", "expected");
  put("d1/f1", "surprise");
  for (int i = 0; i < 1000; ++i) {
    const std::string content = "content " + std::to_string(i);
    const std::string path = "d" + std::to_string(i % 10) + "/f" + std::to_string(i);
    landings.push_back(
        begin(request_for(path, content, i == 0 ? root_of("expected") : core::Root{})));
    if (i != 7) write_missing(*landings.back(), content);
    pointers.push_back(landings.back().get());
  }
  Finishing finishing(*site_);
  finishing.next(pointers);
  const auto results = finishing.next({});
  ASSERT_EQ(results.size(), 1000u);
  for (int i = 0; i < 1000; ++i) {
    const std::string path = "d" + std::to_string(i % 10) + "/f" + std::to_string(i);
    EXPECT_EQ(results[i].ok(), i != 7) << i;
    if (i != 7) {
      EXPECT_EQ(get(path), "content " + std::to_string(i));
    }
  }
  EXPECT_EQ(results[0]->conflict_copy, "");
  EXPECT_EQ(get(results[1]->conflict_copy), "surprise");
  landings.clear();
  EXPECT_TRUE(staged().empty());
}

TEST_F(LandingTest, landings_of_different_paths_may_run_at_once) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const std::string content = test_bytes(50'000 + i, static_cast<std::uint64_t>(t));
        const std::string path = "same/folder/" + std::to_string(t * 100 + i);
        EXPECT_TRUE(land(request_for(path, content), content).ok());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(staged().empty());
}

}  // namespace
}  // namespace syncline::collections::files
