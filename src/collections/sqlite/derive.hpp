// Tables that are computed from others rather than merged (`rule = "derived"`).
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "core/config.hpp"
#include "core/result.hpp"
#include "sqlite/database.hpp"

namespace syncline::collections::sqlite {

// What became of the rows that were read; all zero where a derivation does not count.
struct DerivedCounts {
  std::uint64_t rated = 0;                 // matches that moved ratings
  std::uint64_t without_participants = 0;  // fewer than two different ones
  std::uint64_t without_winner = 0;        // or one that is none of the participants
  std::uint64_t with_unrated = 0;          // a participant that gets no rating
  bool operator==(const DerivedCounts&) const = default;
};

// Run after a merge, in its transaction: what it writes is there with the rows it comes from, or
// neither is. Its result must follow from the rows alone, whatever their order or rowids.
class Deriver {
 public:
  virtual ~Deriver() = default;
  // What its result depends on beside the rows; when it changes, all is derived anew.
  virtual std::string settings() const = 0;
  // It runs when a merge touched this table.
  virtual bool reads(const std::string& table) const = 0;
  virtual std::set<std::string> writes() const = 0;
  // `only_added`: since the last run, rows were added to what it reads and none changed.
  virtual core::Result<DerivedCounts> run(syncline::sqlite::Database& db, bool only_added) = 0;
  // What was written last was rolled back.
  virtual void forget() = 0;
};

// Null: the collection derives nothing.
std::unique_ptr<Deriver> make_deriver(const core::CollectionConfig& config);
std::unique_ptr<Deriver> make_elo_deriver(const core::DeriveConfig& config);
std::unique_ptr<Deriver> make_sql_deriver(const core::CollectionConfig& config);

}  // namespace syncline::collections::sqlite
