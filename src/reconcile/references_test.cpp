#include "reconcile/references.hpp"

#include <gtest/gtest.h>

namespace syncline::reconcile {
namespace {

Table table(const std::string& name, std::vector<Column> columns,
            std::vector<ForeignKey> keys = {}) {
  Table t;
  t.name = t.found_as = name;
  t.columns = std::move(columns);
  t.foreign_keys = std::move(keys);
  return t;
}

const Column kId{"id", "", "INTEGER", "", 1};
Column text(const std::string& name, int key_position = 0) {
  return {name, "", "TEXT", "", key_position};
}
Column number(const std::string& name, int key_position = 0) {
  return {name, "", "INTEGER", "", key_position};
}

// games(id, uuid UNIQUE) <- moves(game_id, n) <- comments(game_id, n), details(id -> games)
Schema numbered_games() {
  Schema schema;
  Table games = table("games", {kId, text("uuid")});
  games.uniques = {{"uuid"}};
  schema.tables["games"] = games;
  schema.tables["moves"] =
      table("moves", {number("game_id", 1), number("n", 2)}, {{{"game_id"}, "games", {"id"}}});
  schema.tables["comments"] = table("comments", {number("game_id"), number("n"), text("text")},
                                    {{{"game_id", "n"}, "moves", {"game_id", "n"}}});
  schema.tables["details"] = table("details", {kId, text("note")}, {{{"id"}, "games", {"id"}}});
  schema.tables["pages"] =
      table("pages", {number("details_id"), text("page")}, {{{"details_id"}, "details", {"id"}}});
  return schema;
}

std::vector<Reference> references(const Schema& schema, const std::string& of,
                                  const core::CollectionConfig& config = {}) {
  return references_of(schema, plan_units(schema, config).value(), of);
}

TEST(References, a_number_given_by_the_parent_is_replaced_wherever_it_is_handed_on) {
  const Schema schema = numbered_games();
  EXPECT_EQ(references(schema, "games"), std::vector<Reference>{});
  for (const char* child : {"moves", "comments"}) {
    EXPECT_EQ(references(schema, child), (std::vector<Reference>{{"game_id", "games"}})) << child;
  }
  EXPECT_EQ(references(schema, "details"), (std::vector<Reference>{{"id", "games"}}));
  EXPECT_EQ(references(schema, "pages"), (std::vector<Reference>{{"details_id", "games"}}));
}

TEST(References, a_number_that_the_operator_calls_a_key_is_an_ordinary_value) {
  core::CollectionConfig config;
  config.tables["games"].key = {"id"};
  const Schema schema = numbered_games();
  EXPECT_EQ(hidden_column(*schema.find("games"), {KeyKind::kColumns, {"id"}}), "");
  EXPECT_EQ(references(schema, "moves", config), std::vector<Reference>{});
}

TEST(References, lead_nowhere_when_the_parent_does_not_travel) {
  core::CollectionConfig config;
  config.tables_exclude = {"games"};
  EXPECT_EQ(references(numbered_games(), "moves", config), std::vector<Reference>{});
}

TEST(References, circles_end) {
  Schema schema;
  schema.tables["a"] = table("a", {text("k", 1), text("b_k")}, {{{"b_k"}, "b", {"k"}}});
  schema.tables["b"] = table("b", {text("k", 1), text("a_k")}, {{{"k"}, "a", {"b_k"}}});
  EXPECT_EQ(references(schema, "a"), std::vector<Reference>{});
}

TEST(References, only_tables_that_take_part_travel_in_the_schema) {
  core::CollectionConfig config;
  config.unit = "games";
  config.tables_exclude = {"moves"};
  const Schema schema = numbered_games();
  const Schema out = travelling(schema, plan_units(schema, config).value());
  EXPECT_EQ(out.find("moves"), nullptr);
  EXPECT_EQ(out.find("comments"), nullptr) << "reaches games only through moves";
  ASSERT_NE(out.find("pages"), nullptr);
  EXPECT_EQ(out.find("pages")->foreign_keys.size(), 1u);
}

}  // namespace
}  // namespace syncline::reconcile
