// Tables that are computed from others rather than merged (`rule = "derived"`).
#pragma once

#include <set>
#include <string>

#include "core/result.hpp"
#include "sqlite/database.hpp"

namespace syncline::collections::sqlite {

// Run after a merge, in its transaction: what it writes is there with the rows it comes from, or
// neither is. Its result must follow from the rows alone, whatever their order or rowids.
class Deriver {
 public:
  virtual ~Deriver() = default;
  virtual std::string name() const = 0;
  // It runs when a merge touched one of them.
  virtual std::set<std::string> reads() const = 0;
  virtual core::Status run(syncline::sqlite::Database& db) = 0;
};

}  // namespace syncline::collections::sqlite
