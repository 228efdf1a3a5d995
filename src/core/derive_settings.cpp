#include <algorithm>

#include "core/settings_table.hpp"

namespace syncline::core {

const std::vector<DeriveSetting>& derive_settings() {
  static const std::vector<DeriveSetting> kSettings = {
      {"by", "", "elo, or sql: a script of yours",
       [](DeriveConfig& d) -> DeriveFieldRef { return &d.by; }},
      {"matches", "", "elo: table of the matches",
       [](DeriveConfig& d) -> DeriveFieldRef { return &d.matches; }},
      {"ratings", "", "elo: table that is written; its rule is derived",
       [](DeriveConfig& d) -> DeriveFieldRef { return &d.ratings; }},
      {"start", "points", "elo: of a participant without a match",
       [](DeriveConfig& d) -> DeriveFieldRef { return &d.start; }, 0.0, 100000.0},
      {"k", "points",
       "elo: a match moves a rating by less than this; higher: newer matches count "
       "for more",
       [](DeriveConfig& d) -> DeriveFieldRef { return &d.k; }, 0.0, 1000.0},
      {"pinned", "points", "elo: participants whose rating never moves: { \"random\" = 400 }",
       [](DeriveConfig& d) -> DeriveFieldRef { return &d.pinned; }},
      {"unrated", "", "elo: globs of participants that get none; their matches are skipped",
       [](DeriveConfig& d) -> DeriveFieldRef { return &d.unrated; }},
      {"script", "path", "sql: run in the transaction of a merge; may write derived tables only",
       [](DeriveConfig& d) -> DeriveFieldRef { return &d.script; }},
  };
  return kSettings;
}

std::string complete_derive(CollectionConfig& collection) {
  const DeriveConfig& derive = collection.derive;
  if (derive.by.empty()) return "derive needs `by`: elo or sql";
  if (derive.by != "elo" && derive.by != "sql") return "derive: by must be elo or sql";
  if (collection.kind != Kind::kSqlite || collection.replica.empty()) {
    return "derive is for collections of kind sqlite with a replica only";
  }
  if ((derive.by == "sql") == derive.script.empty()) {
    return derive.by == "sql" ? "derive by sql needs `script`" : "derive: script is for sql only";
  }
  if (derive.by == "sql") {
    const auto is_derived = [](const auto& t) { return t.second.rule == MergeRule::kDerived; };
    if (std::none_of(collection.tables.begin(), collection.tables.end(), is_derived)) {
      return "derive by sql needs a table with rule = \"derived\" that the script writes";
    }
    return "";
  }
  if (derive.matches.empty() || derive.ratings.empty() || derive.matches == derive.ratings) {
    return "derive: matches and ratings must name two tables";
  }
  const auto [table, is_new] = collection.tables.try_emplace(derive.ratings);
  if (is_new) table->second.rule = MergeRule::kDerived;
  if (table->second.rule != MergeRule::kDerived) {
    return "derive: table " + derive.ratings + " must have rule = \"derived\"";
  }
  return "";
}

}  // namespace syncline::core
