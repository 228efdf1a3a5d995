// Rows that name a file, such as a registry's: they travel once the file is durable.
#include "collections/sqlite/source_test_support.hpp"

namespace syncline::collections::sqlite {
namespace {

class Waiting final : public NamedFiles {
 public:
  bool must_wait(const std::string& name) const override { return on_the_way.count(name) > 0; }
  std::set<std::string> on_the_way;
};

class Registry : public SourceTest {
 protected:
  Registry() {
    config_.name = core::CollectionName("registry");
    config_.announces = {"versions", "file_path", "models"};
    journal_.named = &files_;
    write(
        "CREATE TABLE models (model_id TEXT PRIMARY KEY, updated_at TEXT);"
        "CREATE TABLE versions (id INTEGER PRIMARY KEY AUTOINCREMENT, model_id TEXT,"
        " version INTEGER, file_path TEXT, UNIQUE (model_id, version))");
  }
  void register_version(int version, const std::string& file) {
    write("INSERT INTO versions (model_id, version, file_path) VALUES ('m', " +
          std::to_string(version) + ", '" + file + "')");
  }
  Waiting files_;
};

TEST_F(Registry, a_row_waits_for_its_file_and_the_others_do_not_wait_for_it) {
  files_.on_the_way = {"b.pth"};
  write("INSERT INTO models VALUES ('m', 'now')");
  register_version(1, "a.pth");
  register_version(2, "b.pth");
  register_version(3, "c.pth");
  const ReadOutcome first = poll();
  EXPECT_EQ(journal_.taken.size(), 3u) << "the model and two of its versions";
  EXPECT_EQ(first.waiting_units, 1u);
  EXPECT_EQ(first.waiting_for, std::set<std::string>{"b.pth"});
  EXPECT_EQ(first.waiting_in, std::set<std::string>{"g.db"});
  EXPECT_EQ(first.open_units, 0u) << "no program is still writing it";

  EXPECT_EQ(poll().waiting_units, 1u) << "looked at again though the database is as it was";
  restart();
  EXPECT_EQ(poll().waiting_units, 1u) << "a restart forgets nothing";

  files_.on_the_way.clear();
  EXPECT_EQ(poll().waiting_units, 0u);
  EXPECT_EQ(journal_.taken.size(), 4u);
  poll();
  EXPECT_EQ(journal_.taken.size(), 4u);
}

TEST_F(Registry, a_row_that_was_told_of_is_not_held_back_when_its_file_is_replaced) {
  register_version(1, "a.pth");
  poll();
  ASSERT_EQ(journal_.taken.size(), 1u);
  files_.on_the_way = {"a.pth"};
  register_version(2, "other.pth");
  EXPECT_EQ(poll().waiting_units, 0u);
  EXPECT_EQ(journal_.taken.size(), 2u);
}

TEST_F(Registry, a_new_version_of_a_row_waits_for_the_file_it_names_now) {
  register_version(1, "a.pth");
  poll();
  files_.on_the_way = {"b.pth"};
  write("UPDATE versions SET file_path = 'b.pth' WHERE version = 1");
  EXPECT_EQ(poll().waiting_units, 1u);
  EXPECT_EQ(journal_.taken.size(), 1u) << "others go on with the version before";
  files_.on_the_way.clear();
  poll();
  EXPECT_EQ(journal_.taken.size(), 2u);
}

TEST_F(Registry, a_row_without_a_file_waits_for_nothing) {
  files_.on_the_way = {""};
  write("INSERT INTO versions (model_id, version, file_path) VALUES ('m', 1, NULL), ('m', 2, '')");
  EXPECT_EQ(poll().waiting_units, 0u);
  EXPECT_EQ(journal_.taken.size(), 2u);
}

}  // namespace
}  // namespace syncline::collections::sqlite
