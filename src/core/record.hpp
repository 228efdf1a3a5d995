// A record: one unit at one version, with the name it keeps for ever.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/ids.hpp"
#include "core/time.hpp"
#include "core/unit.hpp"

namespace syncline::core {

struct Record {
  Seq seq;
  WallMs committed_at;  // when the origin first saw the unit complete
  std::uint64_t hlc = 0;  // origin's hybrid logical clock: orders versions of a unit across nodes
  EncodedUnit unit;
  bool operator==(const Record&) const = default;
};

// Records of one log, ascending by seq, not always without holes.
struct RecordBatch {
  LogId log;
  std::vector<Record> records;
  bool operator==(const RecordBatch&) const = default;
};

using RecordBatchPtr = std::shared_ptr<const RecordBatch>;

}  // namespace syncline::core
