// A record: one unit at one version, with the name it keeps for ever.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/time.hpp"
#include "core/unit.hpp"

namespace syncline::core {

struct Record {
  Seq seq;
  WallMs committed_at;    // when the origin first saw the unit complete
  std::uint64_t hlc = 0;  // origin's hybrid logical clock: orders versions of a unit across nodes
  EncodedUnit unit;
  // Sent in place of a version that no row of any replica comes from any more: the name is kept,
  // the content is nowhere needed. See docs/decisions/0010.
  bool is_superseded() const { return unit.bytes.empty(); }
  bool operator==(const Record&) const = default;
};

// Records of one log, ascending by seq, not always without holes, with the schema of every one:
// whoever holds a record can read it without asking anybody.
struct RecordBatch {
  LogId log;
  std::vector<Record> records;
  std::map<std::string, std::string> schemas;  // id -> reconcile::encode(Schema)
  bool operator==(const RecordBatch&) const = default;
};

using RecordBatchPtr = std::shared_ptr<const RecordBatch>;

}  // namespace syncline::core
