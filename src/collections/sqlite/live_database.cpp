#include "collections/sqlite/live_database.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <thread>

namespace syncline::collections::sqlite {

using core::Error;
using core::ErrorKind;
using core::Result;
using syncline::sqlite::Database;
using syncline::sqlite::OpenMode;

namespace {

// File systems stamp writes with the time of the last tick, 1 to 10 ms; two writes in one tick have
// one stamp. Five ticks of the slowest clock are enough.
constexpr std::int64_t kSettledNs = 50'000'000;

std::int64_t ns(const struct statx_timestamp& t) {
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

// False with errno where there is no such file.
bool look(const std::string& path, FileStamp& stamp, std::int64_t& born_ns, bool& is_regular) {
  struct statx info {};
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME,
              &info) != 0) {
    return false;
  }
  is_regular = S_ISREG(info.stx_mode);
  stamp.exists = true;
  stamp.inode = info.stx_ino;
  stamp.size = static_cast<std::int64_t>(info.stx_size);
  stamp.mtime_ns = ns(info.stx_mtime);
  stamp.ctime_ns = ns(info.stx_ctime);
  born_ns = (info.stx_mask & STATX_BTIME) != 0 ? ns(info.stx_btime) : 0;
  return true;
}

bool is_on_network(const std::string& path) {
  struct statfs info {};
  return ::statfs(path.c_str(), &info) == 0 &&
         is_network_file_system(static_cast<std::int64_t>(info.f_type));
}

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// The file's first bytes through SQLite's own descriptor; false where it is shorter.
bool read_header(Database& db, std::array<char, 100>& header) {
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(db.raw(), "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
      file == nullptr || file->pMethods == nullptr) {
    return false;
  }
  return file->pMethods->xRead(file, header.data(), static_cast<int>(header.size()), 0) ==
         SQLITE_OK;
}

void set_up(Database& db, const LiveDatabase::Limits& limits) {
  sqlite3_limit(db.raw(), SQLITE_LIMIT_LENGTH, static_cast<int>(limits.cell_bytes_max));
  // Of this connection only; none of them touches the file.
  for (const char* pragma : {"PRAGMA query_only = ON", "PRAGMA temp_store = MEMORY",
                             "PRAGMA cell_size_check = ON", "PRAGMA mmap_size = 0"}) {
    sqlite3_exec(db.raw(), pragma, nullptr, nullptr, nullptr);
  }
}

}  // namespace

bool is_network_file_system(std::int64_t type) {
  constexpr std::array<std::uint32_t, 14> kNetwork = {
      0x6969,      // NFS
      0x517b,      // SMB
      0xff534d42,  // CIFS
      0xfe534d42,  // SMB2
      0x5346414f,  // AFS
      0x6b414653,  // kAFS
      0x00c36400,  // Ceph
      0x73757245,  // Coda
      0x0bd00bd0,  // Lustre
      0x47504653,  // GPFS
      0x19830326,  // BeeGFS
      0x7461636f,  // OCFS2
      0x01161970,  // GFS2
      0x564c,      // NCP
  };
  const auto low = static_cast<std::uint32_t>(type);
  return std::find(kNetwork.begin(), kNetwork.end(), low) != kNetwork.end();
}

Result<Glance> glance_at(const std::string& path) {
  Glance glance;
  bool is_regular = false;
  const std::int64_t before = now_ns();
  if (!look(path, glance.stamp.main, glance.identity.born_ns, is_regular)) {
    const int code = errno;
    if (code == ENOENT) return Error{ErrorKind::kMissing, "there is no such file", path};
    return Error{ErrorKind::kInvalid, std::string("cannot be looked at: ") + std::strerror(code),
                 path};
  }
  if (!is_regular) {
    return Error{ErrorKind::kInvalid,
                 "is no regular file (symbolic links are not followed): put the database itself "
                 "below the collection's root",
                 path};
  }
  if (glance.stamp.main.size == 0) {
    return Error{ErrorKind::kMissing, "is empty so far", path};
  }
  glance.identity.inode = glance.stamp.main.inode;
  std::int64_t wal_born = 0;
  look(path + "-wal", glance.stamp.wal, wal_born, is_regular);
  const std::int64_t newest = std::max({glance.stamp.main.mtime_ns, glance.stamp.main.ctime_ns,
                                        glance.stamp.wal.mtime_ns, glance.stamp.wal.ctime_ns});
  // A server's clock stamps the files of a network file system: nothing to compare with.
  glance.is_settled = newest < before - kSettledNs && !is_on_network(path);
  return glance;
}

Result<LiveDatabase> LiveDatabase::open(const std::string& path, const Limits& limits) {
  SYNCLINE_ASSIGN(Glance glance, glance_at(path));
  auto opened = Database::open(path, OpenMode::kReadOnly, limits.busy_timeout_ms);
  if (!opened.ok()) {
    const bool is_forbidden = ::access(path.c_str(), R_OK) != 0;
    return Error{ErrorKind::kInvalid,
                 std::string("cannot be opened: ") +
                     (is_forbidden ? std::strerror(errno)
                                   : "links on the way to it are not followed, or it is gone"),
                 path};
  }
  Database db = std::move(opened).value();
  std::array<char, 100> header{};
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  const bool is_whole = read_header(db, header);
  if (!is_whole || std::string_view(header.data(), kMagic.size()) != kMagic) {
    return Error{ErrorKind::kCorrupt,
                 "is no SQLite database, or an encrypted one: leave it out with `exclude`", path};
  }
  const bool is_wal = header[18] == 2 || header[19] == 2;
  if (is_wal && is_on_network(path)) {
    return Error{ErrorKind::kInvalid,
                 "is in WAL mode on a network file system, where WAL can be damaged by a second "
                 "host: keep it on a local disk, or set its journal_mode to DELETE",
                 path};
  }
  struct stat shm {};
  const bool has_shm = ::lstat((path + "-shm").c_str(), &shm) == 0;
  const bool is_alone =
      is_wal && glance.stamp.wal.size == 0 && !(glance.stamp.wal.exists && has_shm);
  if (is_alone && !glance.is_settled) {
    std::this_thread::sleep_for(std::chrono::nanoseconds(kSettledNs));
    const auto again = glance_at(path);
    if (again.ok() && again->stamp == glance.stamp) glance.is_settled = again->is_settled;
  }
  if (is_alone && glance.is_settled) {
    SYNCLINE_ASSIGN(Database alone, Database::open(path, OpenMode::kImmutable));
    set_up(alone, limits);
    return LiveDatabase(std::move(alone), std::move(glance), false);
  }
  set_up(db, limits);
  return LiveDatabase(std::move(db), std::move(glance), true);
}

bool LiveDatabase::is_as_opened() const {
  const auto now = glance_at(db_.path());
  if (!now.ok() || now->identity != glance_.identity) return false;
  if (has_locks_) return true;
  return now->stamp.main == glance_.stamp.main && now->stamp.wal.size == 0;
}

Error LiveDatabase::explain(const Error& error) const {
  const auto has = [&](const char* text) { return error.what.find(text) != std::string::npos; };
  const auto say = [&](const std::string& what) {
    return Error{ErrorKind::kInvalid, what, db_.path()};
  };
  // SQLite's texts for its codes have not changed since its first versions; its last code is that
  // of the statement that ended the transaction, and no help.
  if (error.kind == ErrorKind::kOverloaded) {
    return say("is locked by its program; it is read when the lock is gone");
  }
  if (has("file is not a database")) {
    return say("is no SQLite database: leave it out with `exclude`");
  }
  if (error.kind == ErrorKind::kCorrupt) {
    return say("is damaged (" + error.what +
               "): what was read before is safe; restore it, or rescue it with sqlite3's .recover");
  }
  if (has("attempt to write a readonly database")) {
    return say(
        "was left in the middle of a transaction by a program that died; it is read when "
        "its program opens it again, which rolls that transaction back");
  }
  if (has("unable to open database file")) {
    return say(
        "has a WAL whose shared memory (-shm) cannot be made or used here: let this user "
        "write in its folder");
  }
  if (has("disk I/O error")) return say("cannot be read: " + error.what + "; see the system's log");
  return error;
}

}  // namespace syncline::collections::sqlite
