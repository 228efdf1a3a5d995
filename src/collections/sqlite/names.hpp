// Names of rows that others refer to by numbers: what stands in a unit in place of a foreign key
// onto a surrogate (docs/formats/unit.md, "Surrogates and references").
//
// Names are remembered within one snapshot. A chain of references longer than 1000, or one that
// leads back to the row that refers, ends as NULL.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "collections/sqlite/layout.hpp"
#include "core/result.hpp"
#include "core/unit.hpp"
#include "sqlite/database.hpp"

namespace syncline::collections::sqlite {

class Names {
 public:
  Names(syncline::sqlite::Database& db, const Layout& layout) : db_(db), layout_(layout) {}

  void begin_snapshot() { known_.clear(); }

  // Cells of a row as the database has them become cells as they stand in a unit: those of columns
  // that refer to a surrogate are replaced by the name of the row they mean.
  core::Status translate(const MemberLayout& member, std::vector<core::Cell>& cells);

 private:
  using Row = std::pair<std::string, std::int64_t>;  // table, surrogate
  struct Outcome {
    enum Kind { kName, kNoRow, kCircle } kind = kNoRow;
    std::string name;
    std::size_t circle_to = 0;  // kCircle: position in stack_ of the row that it leads back to
  };
  core::Result<Outcome> name_of(const std::string& table, const core::Cell& id);
  core::Result<Outcome> make_name(const MemberLayout& member, std::int64_t id,
                                  std::vector<core::Cell> cells);
  syncline::sqlite::Statement* statement(const MemberLayout& member, core::Status& status);

  syncline::sqlite::Database& db_;
  const Layout& layout_;
  std::map<std::string, syncline::sqlite::Statement> statements_;  // by table
  std::map<Row, std::string> known_;
  std::vector<Row> stack_;  // rows whose names are being made, outermost first
};

}  // namespace syncline::collections::sqlite
