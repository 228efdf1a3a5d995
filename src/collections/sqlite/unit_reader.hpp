// One unit out of one snapshot: its root row by position, then every row that reaches it.
//
// REQUIRES of all reads: a read transaction is open, begin_snapshot() was called in it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "collections/sqlite/cursor.hpp"
#include "collections/sqlite/layout.hpp"
#include "collections/sqlite/names.hpp"
#include "core/config.hpp"
#include "core/result.hpp"
#include "core/unit.hpp"
#include "sqlite/database.hpp"

namespace syncline::collections::sqlite {

struct FoundUnit {
  enum State {
    kGone,      // no row at this position
    kOpen,      // complete_when does not hold
    kComplete,  // `sealed` is there
    kRefused,   // it is beyond a limit: `why`
  } state = kGone;
  core::EncodedUnit sealed;
  std::string key;  // kComplete, kRefused
  std::string why;
};

class UnitReader {
 public:
  UnitReader(syncline::sqlite::Database& db, const Layout& layout,
             const core::CollectionConfig& config, const core::UnitLimits& limits);

  void begin_snapshot();
  // kInvalid: the database does not fit the configuration (complete_when names no column of it).
  core::Result<FoundUnit> read(std::size_t unit, const Position& at);

  // Child tables without an index on their foreign key that made a read expensive, one line each.
  std::vector<std::string> problems() const;

 private:
  struct Rows {
    std::vector<std::vector<core::Cell>> cells;  // as wide as the table
  };
  // How the rows of one member are found.
  struct Access {
    std::optional<syncline::sqlite::Statement> select;  // by link; of the root by position
    std::optional<syncline::sqlite::Statement> at_row;  // by rowid and link: without an index
    bool is_indexed = true;
    bool has_map = false;
    std::int64_t mapped_to = 0;                                // rows up to this rowid are in `map`
    std::unordered_multimap<std::uint64_t, std::int64_t> map;  // hash of the link -> rowid
    double scan_ms = 0;  // what looking through the table cost
  };
  enum class Sized { kFits, kTooLarge };

  core::Status prepare(std::size_t unit);
  core::Status prepare_member(std::size_t unit, std::size_t member);
  core::Status extend_map(const MemberLayout& member, Access& access);
  core::Result<bool> is_complete(std::size_t unit, const Position& at);
  core::Result<Sized> read_children(std::size_t unit, std::size_t member, std::vector<Rows>& rows);
  core::Result<Sized> read_linked(const MemberLayout& member, Access& access,
                                  const std::vector<core::Cell>& link, Rows& out);
  core::Result<Sized> take_rows(const MemberLayout& member, syncline::sqlite::Statement& select,
                                Rows& out);
  core::Result<FoundUnit> seal(std::size_t unit, std::vector<Rows>& rows);
  std::string too_large() const;

  syncline::sqlite::Database& db_;
  const Layout& layout_;
  const core::CollectionConfig& config_;
  core::UnitLimits limits_;
  Names names_;
  std::vector<std::vector<Access>> access_;  // by unit and member; empty: not prepared
  std::vector<std::optional<syncline::sqlite::Statement>> complete_;
  std::size_t bytes_ = 0;  // of the unit being read
  std::size_t rows_ = 0;
};

}  // namespace syncline::collections::sqlite
