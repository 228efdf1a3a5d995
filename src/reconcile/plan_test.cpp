#include "reconcile/plan.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace syncline::reconcile {
namespace {

Table table(const std::string& name, std::vector<Column> columns, std::vector<ForeignKey> keys = {},
            std::vector<std::vector<std::string>> uniques = {}) {
  Table t;
  t.name = t.found_as = name;
  t.columns = std::move(columns);
  for (Column& c : t.columns) c.found_as = c.name;
  t.foreign_keys = std::move(keys);
  t.uniques = std::move(uniques);
  return t;
}

Schema games_schema() {
  Schema schema;
  schema.tables["games"] =
      table("games", {{"game_id", "", "TEXT", "", 1}, {"winner", "", "INTEGER", "", 0}});
  schema.tables["game_moves"] =
      table("game_moves", {{"game_id", "", "TEXT", "", 1}, {"move_number", "", "INTEGER", "", 2}},
            {{{"game_id"}, "games", {"game_id"}}});
  schema.tables["comments"] =
      table("comments",
            {{"id", "", "INTEGER", "", 1},
             {"game_id", "", "TEXT", "", 0},
             {"move_number", "", "INTEGER", "", 0},
             {"text", "", "TEXT", "", 0}},
            {{{"game_id", "move_number"}, "game_moves", {"game_id", "move_number"}}});
  schema.tables["notes"] = table("notes", {{"text", "", "TEXT", "", 0}});
  return schema;
}

TEST(Plan, a_unit_is_the_root_with_all_that_reaches_it) {
  core::CollectionConfig config;
  config.unit = "games";
  const auto plans = plan_units(games_schema(), config);
  ASSERT_TRUE(plans.ok());
  ASSERT_EQ(plans->size(), 1u);
  const auto& members = plans->at(0).members;
  ASSERT_EQ(members.size(), 3u);
  EXPECT_EQ(members[0].table, "games");
  EXPECT_EQ(members[2].table, "comments");
  EXPECT_EQ(members[static_cast<std::size_t>(members[2].parent)].table, "game_moves");
}

TEST(Plan, without_a_configured_root_every_table_finds_its_place) {
  const auto plans = plan_units(games_schema(), {});
  ASSERT_TRUE(plans.ok());
  ASSERT_EQ(plans->size(), 2u);  // games with two children; notes alone
}

TEST(Plan, names_the_nearest_table_when_the_root_is_mistyped) {
  core::CollectionConfig config;
  config.unit = "game";
  const auto plans = plan_units(games_schema(), config);
  ASSERT_FALSE(plans.ok());
  EXPECT_NE(plans.error().what.find("did you mean 'games'?"), std::string::npos);
}

TEST(Plan, chooses_the_key_that_means_the_same_everywhere) {
  const auto key = [](Table t, const core::TableConfig* c = nullptr) {
    return row_key(t, c).columns;
  };
  using V = std::vector<std::string>;
  const Column id{"id", "", "INTEGER", "", 1};
  const Column a{"a", "", "TEXT", "", 0};
  const Column b{"b", "", "TEXT", "", 0};
  EXPECT_EQ(key(table("t", {{"name", "", "TEXT", "", 1}, a})), V{"name"});
  EXPECT_EQ(key(table("t", {id, a, b}, {}, {{"a"}})), V{"a"});
  EXPECT_EQ(key(table("t", {id, a, b})), (V{"a", "b"})) << "content, the surrogate left out";
  core::TableConfig configured;
  configured.key = {"b"};
  EXPECT_EQ(key(table("t", {id, a, b}, {}, {{"a"}}), &configured), V{"b"});
  EXPECT_EQ(row_key(table("t", {id, a, b}), nullptr).kind, KeyKind::kContent);
}

TEST(Plan, a_primary_key_that_refers_to_a_row_elsewhere_is_no_surrogate) {
  const Table details =
      table("details", {{"id", "", "INTEGER", "", 1}, {"text", "", "TEXT", "", 0}},
            {{{"id"}, "games", {"id"}}});
  EXPECT_EQ(details.surrogate(), "");
  EXPECT_EQ(row_key(details, nullptr).columns, std::vector<std::string>{"id"});
}

TEST(Plan, a_row_is_named_alike_whether_a_column_it_does_not_use_is_there_or_not) {
  const RowKey narrow{KeyKind::kContent, {"a"}};
  const RowKey wide{KeyKind::kContent, {"a", "b"}};
  EXPECT_EQ(key_text("t", narrow, {std::string("x")}), key_text("t", wide, {std::string("x"), {}}));
  EXPECT_NE(key_text("t", narrow, {std::string("x")}), key_text("t", wide, {{}, std::string("x")}));
}

TEST(Plan, config_keys_look_as_people_write_them) {
  EXPECT_EQ(config_key_of({"board_type", "num_players"}, {std::string("hex8"), std::int64_t{2}}),
            core::ConfigKey("hex8_2p"));
  EXPECT_EQ(config_key_of({"a"}, {std::string("../x")}), core::ConfigKey("..-x"));
}

TEST(Schema, comes_back_as_it_was_encoded_and_keeps_its_id) {
  const auto back = decode_schema(encode(games_schema()));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, games_schema());
  EXPECT_EQ(id_of(*back), id_of(games_schema()));
}

TEST(Schema, lets_no_sql_in_through_a_type_or_a_default) {
  for (const char* type : {"TEXT); DROP TABLE games; --", "TEXT\"", "TEXT--"}) {
    EXPECT_FALSE(is_safe_type(type)) << type;
  }
  for (const char* literal :
       {"'a'); --", "(SELECT 1)", "'a'b'", "'", "x", "--", "-", "1--", "e5"}) {
    EXPECT_FALSE(is_safe_default(literal)) << literal;
  }
  for (const char* literal : {"", "0", "-1.5e3", "'it''s'", "NULL", "CURRENT_TIMESTAMP"}) {
    EXPECT_TRUE(is_safe_default(literal)) << literal;
  }
}

RC_GTEST_PROP(SchemaProperty, no_bytes_crash_the_parser, ()) {
  std::string bytes = encode(games_schema());
  for (int i = *rc::gen::inRange(1, 6); i > 0; --i) {
    bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
  }
  const auto schema = decode_schema(bytes);
  if (schema.ok()) RC_ASSERT(decode_schema(encode(*schema)).ok());
}

}  // namespace
}  // namespace syncline::reconcile
