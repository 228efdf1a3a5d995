#include "collections/files/finishing.hpp"

#include "collections/files/files_test_support.hpp"
#include "collections/files/tree.hpp"

namespace syncline::collections::files {
namespace {

class FinishingTest : public FilesTest {
 protected:
  FinishingTest() : site_(std::move(LandingSite::open(config_, core::NodeId("node-1"))).value()) {}
  // Whole landings of small files with these names; their content is their name.
  std::vector<Landing*> lot(const std::vector<std::string>& paths) {
    std::vector<Landing*> out;
    for (const std::string& path : paths) {
      auto landing = site_->begin(request_for(path, path));
      EXPECT_TRUE(landing.ok()) << to_string(landing.error());
      landings_.push_back(std::move(*landing));
      out.push_back(landings_.back().get());
    }
    return out;
  }
  std::vector<Landing*> whole_lot(const std::vector<std::string>& paths) {
    std::vector<Landing*> out = lot(paths);
    for (std::size_t i = 0; i < paths.size(); ++i) write_missing(*out[i], paths[i]);
    return out;
  }

  std::unique_ptr<LandingSite> site_;
  std::vector<std::unique_ptr<Landing>> landings_;
};

TEST_F(FinishingTest, each_lot_is_answered_for_by_the_next_call_in_its_order) {
  for (const std::size_t size : {1u, 20u}) {  // synced each for itself, and together
    Finishing finishing(*site_);
    std::vector<std::string> first;
    std::vector<std::string> second;
    for (std::size_t i = 0; i < size; ++i) {
      first.push_back("a" + std::to_string(size) + "/" + std::to_string(i));
      second.push_back("b" + std::to_string(size) + "/" + std::to_string(i));
    }
    EXPECT_TRUE(finishing.next(whole_lot(first)).empty());
    const auto of_first = finishing.next(whole_lot(second));
    const auto of_second = finishing.next({});
    ASSERT_EQ(of_first.size(), size);
    ASSERT_EQ(of_second.size(), size);
    for (std::size_t i = 0; i < size; ++i) {
      ASSERT_TRUE(of_first[i].ok() && of_second[i].ok());
      EXPECT_EQ(of_first[i]->known.root, root_of(first[i]));
      EXPECT_EQ(of_second[i]->known.root, root_of(second[i]));
      EXPECT_EQ(get(first[i]), first[i]);
      EXPECT_EQ(get(second[i]), second[i]);
    }
  }
}

TEST_F(FinishingTest, one_that_fails_fails_alone) {
  std::filesystem::create_directories(at("d/in-the-way"));
  auto landings = whole_lot({"d/1", "d/2"});
  const auto unfinished = lot({"d/3"});
  landings.insert(landings.begin() + 1, unfinished[0]);
  Finishing finishing(*site_);
  finishing.next(landings);
  const auto results = finishing.next({});
  ASSERT_EQ(results.size(), 3u);
  EXPECT_TRUE(results[0].ok());
  EXPECT_FALSE(results[1].ok());
  EXPECT_TRUE(results[2].ok());
  EXPECT_FALSE(exists("d/3"));
}

TEST_F(FinishingTest,
       what_is_written_into_a_file_that_was_just_placed_is_not_known_as_its_content) {
  Finishing finishing(*site_);
  finishing.next(whole_lot({"a"}));
  put("a", "b");  // as long as the content that landed
  const auto results = finishing.next({});
  ASSERT_TRUE(results[0].ok());
  auto tree = std::move(Tree::open(config_)).value();
  EXPECT_EQ(tree->differing({{"a", results[0]->known}}), std::vector<std::string>{"a"});
  const ScanOutcome outcome = tree->scan({{"a", results[0]->known}}, nullptr, later());
  ASSERT_EQ(outcome.changed.size(), 1u);
  EXPECT_EQ(outcome.changed[0].root, root_of("b"));
}

TEST_F(FinishingTest, what_differs_is_seen_without_reading) {
  Finishing finishing(*site_);
  finishing.next(whole_lot({"a", "d/b", "d/c", "d/e", "f"}));
  const auto results = finishing.next({});
  std::map<std::string, KnownFile> known;
  const std::vector<std::string> paths = {"a", "d/b", "d/c", "d/e", "f"};
  for (std::size_t i = 0; i < paths.size(); ++i) known[paths[i]] = results[i]->known;
  auto tree = std::move(Tree::open(config_)).value();
  EXPECT_TRUE(tree->differing(known).empty());
  put("d/b", "longer than before");
  std::filesystem::remove(at("d/c"));
  std::filesystem::remove(at("f"));
  std::filesystem::create_directory(at("f"));
  EXPECT_EQ(tree->differing(known), (std::vector<std::string>{"d/b", "d/c", "f"}));
}

}  // namespace
}  // namespace syncline::collections::files
