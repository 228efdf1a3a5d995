// One database file that a program may be writing right now: how it is opened, and how we know
// afterwards that what was read is what was there.
//
// - Read-only, closed without checkpoint. Locks are SQLite's own, held for one transaction.
// - A database in WAL mode that nobody has open (no -wal, or an empty one, and no -shm) is whole in
//   its one file. It is read without locks, so that no -wal and -shm are made beside it, and
//   is_as_opened() tells afterwards whether a program began to write meanwhile. With a -wal, SQLite
//   needs the -shm; it is made where a program that was killed or a copy left none.
// - A symbolic link is not followed, wherever it stands below the collection's root.
// - In WAL mode on a network file system it is refused: WAL needs memory shared by all who use it.
// - A hot journal (a program died in the middle of a commit in rollback mode) can only be rolled
//   back by writing: it is told as a problem and left to its program.
//
// Files are looked at with stat only, and read through SQLite's own descriptor: closing another
// descriptor of the file would drop the POSIX locks of every connection in this process.
#pragma once

#include <cstdint>
#include <string>

#include "collections/sqlite/cursor.hpp"
#include "core/result.hpp"
#include "sqlite/database.hpp"

namespace syncline::collections::sqlite {

// Which file a path leads to at this moment.
struct Identity {
  std::uint64_t inode = 0;
  std::int64_t born_ns = 0;  // 0: the file system does not tell
  bool operator==(const Identity&) const = default;
};

struct Glance {
  Stamp stamp;
  Identity identity;
  // Nothing in it was written so lately that a further write could leave the same stamp.
  bool is_settled = false;
};
// One look at the files, nothing opened. kMissing: there is none, or it is empty so far;
// kInvalid: no regular file, or it cannot be looked at.
core::Result<Glance> glance_at(const std::string& path);

class LiveDatabase {
 public:
  struct Limits {
    std::int64_t cell_bytes_max = 64 << 20;  // a longer text or blob is an error of its row
    int busy_timeout_ms = 1000;
  };
  // `path`: absolute, its folder without symbolic links. Errors say what to do.
  static core::Result<LiveDatabase> open(const std::string& path, const Limits& limits);

  syncline::sqlite::Database& db() { return db_; }
  const Glance& glance() const { return glance_; }

  // The path still leads to this file; and, where it was opened without locks, nothing wrote.
  bool is_as_opened() const;

  // SQLite's error as one sentence that says what to do.
  core::Error explain(const core::Error& error) const;

 private:
  LiveDatabase(syncline::sqlite::Database db, Glance glance, bool has_locks)
      : db_(std::move(db)), glance_(std::move(glance)), has_locks_(has_locks) {}
  syncline::sqlite::Database db_;
  Glance glance_;
  bool has_locks_;
};

// f_type of statfs: NFS, SMB, and cluster file systems, where mmap is not shared between hosts.
bool is_network_file_system(std::int64_t type);

}  // namespace syncline::collections::sqlite
