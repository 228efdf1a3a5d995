// What goes into the collector and what comes out of it. Values only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace syncline::collecting {

// What a file over there looked like; of a database its write-ahead log as well. Two equal stamps
// mean "not touched since".
struct Stamp {
  std::uint64_t size_bytes = 0;
  std::int64_t mtime_ms = 0;
  std::uint64_t wal_bytes = 0;
  std::int64_t wal_mtime_ms = 0;
  bool operator==(const Stamp&) const = default;
};

struct FileThere {
  std::string path;  // relative to the collection's folder there
  std::uint64_t size_bytes = 0;
  std::int64_t mtime_ms = 0;
  bool operator==(const FileThere&) const = default;
};

struct FileHere {
  std::string path;  // relative to the collection's root
  core::Root root;
  std::uint64_t size_bytes = 0;
  std::int64_t mtime_ms = 0;
  bool operator==(const FileHere&) const = default;
};

struct FileId {
  core::NodeId host;
  core::CollectionName collection;
  std::string path;
  auto operator<=>(const FileId&) const = default;
};

// What was last taken from there, or last put there: how it looked there then, and its content
// (zero: a database, which is known by its rows).
struct Taken {
  Stamp stamp;
  core::Root root;
  bool operator==(const Taken&) const = default;
};
using Memory = std::map<FileId, Taken>;

// ── events ──
struct Tick {};  // next_wake() has come
struct Listed {
  core::NodeId host;
  core::CollectionName collection;
  std::vector<FileThere> there;
  std::vector<FileHere> here;  // of kind files only
};
struct Copied {  // durably, as Take or Give asked
  FileId file;
  Taken taken;
  std::uint64_t wire_bytes = 0;
  std::string conflict_copy;  // a local version that was kept beside the new one; or empty
};
struct Failed {  // List, Take or Give
  core::NodeId host;
  core::CollectionName collection;
  std::string path;  // empty: the whole list
  core::Error error;
};
// Somebody waits for a look that begins now: -> LookEnded once it is over.
struct LookWanted {
  std::uint64_t request = 0;
  std::set<core::CollectionName> collections;  // empty: all
};
// A node of the host's name is linked, or is not any more: its own daemon sees to its data.
struct DaemonSeen {
  core::NodeId host;
  bool is_linked = false;
};
using Event = std::variant<Tick, Listed, Copied, Failed, LookWanted, DaemonSeen>;

// ── actions: of one host at most one at a time ──
struct List {  // -> Listed or Failed
  core::NodeId host;
  core::CollectionName collection;
  bool operator==(const List&) const = default;
};
struct Take {  // -> Copied or Failed
  FileId file;
  Stamp stamp;  // as listed: a file that looks different afterwards was not taken whole
  bool is_database = false;
  bool is_new = false;  // nothing lies here: if something does by then, it stays
  core::Root replaces;  // what may go; any other version that lies here is kept beside the new one
  bool operator==(const Take&) const = default;
};
struct Give {  // -> Copied or Failed
  FileId file;
  core::Root root;
  bool operator==(const Give&) const = default;
};
struct Remember {  // durably, before it is relied on after a restart
  core::NodeId host;
  bool operator==(const Remember&) const = default;
};
struct LookEnded {
  std::uint64_t request = 0;
  // By host: what did not go as asked, in the collections asked for. A host that is not named here
  // was looked at to the end, and has what it was to be given.
  std::map<core::NodeId, std::vector<std::string>> problems;
  bool operator==(const LookEnded&) const = default;
};
// For people: "host h2 does not answer …". Once per change, not per try.
struct Say {
  core::NodeId host;
  bool is_good = false;
  std::string sentence;
  bool operator==(const Say&) const = default;
};
using Action = std::variant<List, Take, Give, Remember, LookEnded, Say>;
using Actions = std::vector<Action>;

}  // namespace syncline::collecting
