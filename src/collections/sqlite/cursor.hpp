// How far one database was read: what is kept in the journal together with the units.
//
// How changes are found, per table:
// - New rows, by rowid: every row above `Follow::last` is new. Rows of child tables lead to their
//   root, so children that are added to a finished unit are seen as well.
// - Rowids are reused after deletes and change under VACUUM. `Follow::probes` remembers the keys of
//   rows at growing distances below `last`. Where the last one is not found as it was, reading goes
//   back to the highest that is; considering a unit twice costs time and changes nothing.
// - Units begun and not complete are remembered (`open`) and looked at whenever the database
// changed.
// - Rows updated in place: by a column that moves (`changed_by`), else by comparison of every unit
//   with what was journalled, in the order of its table, a bounded stretch at a time (`pass`).
//   Tables WITHOUT ROWID are followed by comparison alone.
// - A database whose files look as they did at the last look (`stamp`) is not even opened, unless a
//   comparison is under way.
//
// The encoding is versioned and bounded; what cannot be read is taken for no cursor at all: the
// database is read from its beginning and compared, nothing is lost and nothing is sent twice.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/unit.hpp"

namespace syncline::collections::sqlite {

// Where a row stands: its rowid, or the primary key of a table WITHOUT ROWID.
using Position = std::vector<core::Cell>;

inline constexpr std::size_t kOpenUnitsMax = 100'000;  // beyond: found by comparison
inline constexpr std::size_t kOrphansMax = 1000;       // remembered one by one
inline constexpr std::size_t kRefusedMax = 64;

// One file, as stat tells it.
struct FileStamp {
  bool exists = false;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  bool operator==(const FileStamp&) const = default;
};
// A database with its WAL. SQLite changes one of the two with every commit.
struct Stamp {
  FileStamp main;
  FileStamp wal;
  bool operator==(const Stamp&) const = default;
};

struct Probe {
  std::int64_t rowid = 0;
  std::uint64_t key_hash = 0;
  bool operator==(const Probe&) const = default;
};

struct Follow {
  std::optional<std::int64_t> last;  // highest rowid looked at; empty: none
  // Rows up to here were there when their roots began to be followed: their units are read anyhow.
  std::optional<std::int64_t> covered_to;
  std::vector<Probe> probes;         // ascending; the last is the row at `last`, if it was there
  std::set<std::int64_t> orphans;    // child rows that reached no root
  std::uint64_t orphans_beyond = 0;  // more of them, not remembered
  bool operator==(const Follow&) const = default;

  // Moves to `probe`; of those before it keeps the highest of each distance 1, 2, 4, 8 …
  void move_to(const Probe& probe);
};

// Comparison of all units of one root table, in the order of positions.
struct Pass {
  Position at;             // compared up to here; empty: at the beginning
  bool is_owed = false;    // the database changed since a pass began that went to its end
  bool is_again = false;   // it changed during this pass: one more is owed
  bool has_ended = false;  // at least one went to its end
  bool operator==(const Pass&) const = default;

  void owe();     // something changed
  void finish();  // the end of the table was reached
};

struct ChangedBy {
  core::Cell value;         // NULL: not begun
  Position at;              // among rows of that value
  bool is_between = false;  // the last look ended before the last row: go on behind `at`
  bool operator==(const ChangedBy&) const = default;
};

struct RootState {
  std::set<Position> open;
  Pass pass;
  ChangedBy changed_by;
  bool operator==(const RootState&) const = default;
};

struct Cursor {
  std::uint64_t inode = 0;     // of the file that all this is about …
  std::int64_t born_ns = 0;    // … and when it was made (0: the file system does not tell)
  std::uint64_t settings = 0;  // hash of the configuration that decides what is a unit
  std::int64_t schema_cookie = 0;
  std::optional<Stamp> stamp;            // empty: look again
  std::map<std::string, Follow> tables;  // by name as kept
  std::map<std::string, RootState> roots;
  std::map<std::string, std::string> refused;  // unit key -> why it cannot travel
  bool operator==(const Cursor&) const = default;

  std::uint64_t open_units() const;
  bool is_pass_owed() const;
};

std::string encode(const Cursor& cursor);
std::optional<Cursor> decode_cursor(std::string_view bytes);

}  // namespace syncline::collections::sqlite
