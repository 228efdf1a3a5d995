// One read of one database: portion by portion, each a short read transaction, what is new since
// its cursor. See cursor.hpp for how changes are found.
//
// Every way of finding leads to consider(): look at the unit whose root row stands there, and take
// it if it is complete and not what was taken last. Considering twice is harmless, so each way may
// err on the side of looking once more.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "collections/sqlite/cursor.hpp"
#include "collections/sqlite/layout.hpp"
#include "collections/sqlite/live_database.hpp"
#include "collections/sqlite/source.hpp"
#include "collections/sqlite/unit_reader.hpp"

namespace syncline::collections::sqlite {

// What a read gets from outside, and where its findings go.
struct ReadContext {
  const core::CollectionConfig& config;
  const KnownUnits& known;
  const ReadLimits& limits;
  core::WallMs now;
  const std::atomic<bool>& is_cancelled;
  const NamedFiles* named;  // null: no row waits
  std::size_t bytes = 0;    // taken so far, in all databases
  ReadOutcome& out;
};

class DatabaseRead {
 public:
  // `pass_left`: how long comparison may take; what it took is subtracted.
  DatabaseRead(LiveDatabase& live, const Layout& layout, Cursor& cursor, ReadContext& context,
               core::Duration& pass_left);

  // The database changed, or may have, since the cursor was made. Call before the first portion.
  void changed();

  enum class Left { kNothing, kMore };
  // One transaction; cursor and findings move together. kConflict: the file was replaced or written
  // to while it was read without locks; cursor and findings are as before. Other errors: what was
  // found before the error stays.
  core::Result<Left> portion();

  // A row waits for its file: the database must be looked at again although nothing changes in it.
  bool is_waiting() const { return !waiting_.empty(); }

  // What keeps something from travelling, one line each, without the database's name.
  std::vector<std::string> problems() const;

 private:
  enum class Seen { kDone, kLimit };  // kLimit: not taken, a limit of the read is reached
  struct ChildQuery {
    syncline::sqlite::Statement above;  // child rows from a rowid on, with their roots
    syncline::sqlite::Statement at;     // one child row
  };

  core::Result<Left> look();
  bool is_time_over() const;
  core::Result<Seen> consider(std::size_t unit, const Position& at);
  bool must_wait(const FoundUnit& found);
  Seen take(std::size_t unit, const Position& at, FoundUnit& found);
  void refuse(const std::string& key, const std::string& why);

  core::Status verify(const MemberLayout& member);
  core::Status begin_following();
  core::Result<bool> look_at_open(std::size_t unit);  // each: true when it came to its end
  core::Result<bool> follow_root(std::size_t unit);
  core::Result<bool> follow_child(std::size_t unit, std::size_t member);
  core::Result<bool> look_at_orphans(std::size_t unit, std::size_t member);
  core::Result<bool> follow_changes(std::size_t unit);
  core::Result<bool> can_follow_changes(std::size_t unit);
  core::Result<bool> run_pass(std::size_t unit);

  core::Result<std::optional<Probe>> probe_at(const MemberLayout& member, std::int64_t rowid);
  core::Result<ChildQuery*> child_query(std::size_t unit, std::size_t member);
  core::Status note_max_rowids();
  bool is_covered(std::size_t unit, const Position& root, const MemberLayout& member,
                  std::int64_t rowid);
  Follow& follow(const MemberLayout& member) { return cursor_.tables[member.table->name]; }
  RootState& state(std::size_t unit) {
    return cursor_.roots[layout_.units[unit].root().table->name];
  }

  LiveDatabase& live_;
  syncline::sqlite::Database& db_;
  const Layout& layout_;
  Cursor& cursor_;
  ReadContext& context_;
  core::Duration& pass_left_;
  UnitReader reader_;
  std::chrono::steady_clock::time_point deadline_;
  std::map<std::pair<std::size_t, std::size_t>, ChildQuery> child_queries_;
  // Highest rowid of each table in each snapshot of this read, and in which snapshot a root was
  // considered last: child rows that were there then need no further look.
  std::vector<std::map<std::string, std::int64_t>> max_rowids_;
  std::vector<std::map<Position, std::size_t>> considered_;
  std::map<std::string, core::Digest256> taken_;
  std::map<std::size_t, std::optional<Position>> open_at_;  // open units looked at up to here
  std::set<std::string> orphans_seen_;                      // tables whose orphans were looked at
  std::set<std::size_t> changes_seen_;                      // units whose changed_by was followed
  std::map<std::size_t, std::string> change_problems_;
  bool is_verified_ = false;
  std::set<std::string> waiting_;  // keys of units that wait for a file
};

}  // namespace syncline::collections::sqlite
