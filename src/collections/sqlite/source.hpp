// The databases below one collection's root, as programs are writing them right now: which units
// are new or changed since the last read.
//
// How a database is touched, and why that is safe:
// - Opened read-only, one short read transaction per portion (ReadLimits::transaction_max), closed
//   between reads. A reader never blocks a WAL writer; a writer in rollback mode waits for no
//   longer than one portion, within every busy timeout in use.
// - Never checkpointed, not even by closing the last connection: SQLite before 3.51.3 can damage a
//   WAL when two connections checkpoint at once, and a program that is killed needs its WAL.
// - No table, trigger or pragma that writes. Nothing is created beside the database.
// - A database on a network file system in WAL mode is refused: WAL needs shared memory.
//
// What is found: see cursor.hpp for how each table is followed (by rowid, by a column that moves,
// or by comparison with what was journalled). A unit is taken when complete_when holds; one that is
// begun is remembered in the cursor and looked at again. Nothing is ever told as deleted.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "core/unit.hpp"

namespace syncline::collections::sqlite {

// What the journal has taken already, for what is found by comparison.
class KnownUnits {
 public:
  virtual ~KnownUnits() = default;
  // Hash of the last version of the unit that was journalled; empty: never.
  virtual std::optional<core::Digest256> hash_of(const std::string& key) const = 0;
};

// Of files that rows announce (CollectionConfig::announces).
class NamedFiles {
 public:
  virtual ~NamedFiles() = default;
  // True: its file is here, or known, and not durable: the row is kept back. One whose file nobody
  // has goes its way.
  virtual bool must_wait(const std::string& name) const = 0;
};

struct ReadLimits {
  std::size_t units_max = 512;                   // of one read
  std::size_t bytes_max = std::size_t{8} << 20;  // of one read, at least one unit
  core::Duration transaction_max = core::milliseconds(50);
  core::UnitLimits unit;
};

inline constexpr std::size_t kWaitingForMax = 100;

struct ReadOutcome {
  std::vector<core::EncodedUnit> units;
  std::vector<core::WallMs> seen_at;           // parallel to units
  std::map<std::string, std::string> schemas;  // id -> bytes, of every schema the units name
  std::map<std::string, std::string> cursors;  // database, relative to the root -> new cursor
  std::uint64_t open_units = 0;                // begun, not complete; in all databases
  std::uint64_t waiting_units = 0;    // of those, complete and kept back for their file …
  std::set<std::string> waiting_for;  // … as named; the first kWaitingForMax
  std::set<std::string> waiting_in;   // databases to be read again soon
  std::vector<std::string> problems;  // of all databases, those of earlier reads too
  bool has_more = false;              // a limit was reached: read again
  // All that is new was found; older units are still to be compared, and there is time for that.
  bool compares_on = false;
};

enum class Origin {
  kLive,    // a program here writes it
  kCopied,  // each time as a new file: rows tell whether it is another database, not its inode
};

class Source {
 public:
  // kMissing: there is no such folder. kInvalid: complete_when or a configured name is malformed.
  static core::Result<std::unique_ptr<Source>> open(const core::CollectionConfig& config,
                                                    Origin origin = Origin::kLive);
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  // Looks at every database below the root that the collection includes, or at `only` (relative
  // paths). `cursors` are those that were stored together with the units of earlier reads; what is
  // answered goes into the journal with its cursors in one transaction, or not at all.
  // Never fails as a whole: a database that cannot be read is a problem, the others go on.
  ReadOutcome read(const std::map<std::string, std::string>& cursors, const KnownUnits& known,
                   const ReadLimits& limits, const std::set<std::string>* only, core::WallMs now,
                   const NamedFiles* named = nullptr);

  // From any thread, for good: a read under way ends soon, later ones at once.
  void cancel();

 private:
  struct State;
  explicit Source(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace syncline::collections::sqlite
