// Grammar (little pieces as in core/bytes.hpp; DO NOT CHANGE without a new version):
//   cursor = version(1) varint(inode) zigzag(born) varint(settings) zigzag(cookie) stamp
//            varint(tables) { text(name) follow } varint(roots) { text(name) root }
//            varint(refused) { text(key) text(why) }
//   stamp  = 0 | 1 file(main) file(wal)
//   file   = u8(exists) varint(inode) zigzag(size) zigzag(mtime) zigzag(ctime)
//   follow = maybe(last) maybe(covered_to) varint(probes) { zigzag(rowid) varint(hash) }
//            varint(orphans) { zigzag(rowid) } varint(orphans_beyond)
//   maybe  = 0 | 1 zigzag
//   root   = varint(open) position* position(pass) u8(owed) u8(again) u8(ended)
//            cell(changed_by) position u8(is_between)
//   position = varint(cells) cell*          cell as in core/unit.cpp
#include "collections/sqlite/cursor.hpp"

#include "core/bytes.hpp"

namespace syncline::collections::sqlite {

using core::ByteReader;
using core::ByteWriter;
using core::Cell;

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kCursorBytesMax = 64u << 20;
constexpr std::size_t kTablesMax = 1024;
constexpr std::size_t kNameMax = 1024;
constexpr std::size_t kTextMax = 64u << 10;
constexpr std::size_t kProbesMax = 80;  // one per distance 2^0 … 2^63, and some
constexpr std::size_t kPositionMax = 2000;

void put(ByteWriter& out, const Cell& cell) {
  out.u8(static_cast<std::uint8_t>(cell.index()));
  switch (cell.index()) {
    case 1:
      out.zigzag(std::get<std::int64_t>(cell));
      break;
    case 2:
      out.f64(std::get<double>(cell));
      break;
    case 3:
      out.text(std::get<std::string>(cell));
      break;
    case 4:
      out.text(std::get<core::Blob>(cell).bytes);
      break;
    default:
      break;
  }
}
Cell get_cell(ByteReader& in) {
  switch (in.u8()) {
    case 0:
      return {};
    case 1:
      return in.zigzag();
    case 2:
      return in.f64();
    case 3:
      return std::string(in.text(in.left()));
    case 4:
      return core::Blob{std::string(in.text(in.left()))};
    default:
      in.fail();
      return {};
  }
}

// A count of things that take at least a byte each.
std::size_t get_count(ByteReader& in, std::size_t most) {
  const std::uint64_t count = in.varint();
  if (count > most || count > in.left()) {
    in.fail();
    return 0;
  }
  return static_cast<std::size_t>(count);
}
bool get_flag(ByteReader& in) {
  const std::uint8_t flag = in.u8();
  if (flag > 1) in.fail();
  return flag == 1;
}

void put(ByteWriter& out, const Position& position) {
  out.varint(position.size());
  for (const Cell& cell : position) put(out, cell);
}
Position get_position(ByteReader& in) {
  Position position(get_count(in, kPositionMax));
  for (Cell& cell : position) cell = get_cell(in);
  return position;
}

void put(ByteWriter& out, const FileStamp& file) {
  out.u8(file.exists ? 1 : 0);
  out.varint(file.inode);
  out.zigzag(file.size);
  out.zigzag(file.mtime_ns);
  out.zigzag(file.ctime_ns);
}
FileStamp get_file(ByteReader& in) {
  FileStamp file;
  file.exists = get_flag(in);
  file.inode = in.varint();
  file.size = in.zigzag();
  file.mtime_ns = in.zigzag();
  file.ctime_ns = in.zigzag();
  return file;
}

void put(ByteWriter& out, const std::optional<std::int64_t>& number) {
  out.u8(number ? 1 : 0);
  if (number) out.zigzag(*number);
}
std::optional<std::int64_t> get_maybe(ByteReader& in) {
  if (!get_flag(in)) return {};
  return in.zigzag();
}

void put(ByteWriter& out, const Follow& follow) {
  put(out, follow.last);
  put(out, follow.covered_to);
  out.varint(follow.probes.size());
  for (const Probe& probe : follow.probes) {
    out.zigzag(probe.rowid);
    out.varint(probe.key_hash);
  }
  out.varint(follow.orphans.size());
  for (std::int64_t rowid : follow.orphans) out.zigzag(rowid);
  out.varint(follow.orphans_beyond);
}
Follow get_follow(ByteReader& in) {
  Follow follow;
  follow.last = get_maybe(in);
  follow.covered_to = get_maybe(in);
  follow.probes.resize(get_count(in, kProbesMax));
  for (Probe& probe : follow.probes) {
    probe.rowid = in.zigzag();
    probe.key_hash = in.varint();
  }
  for (std::size_t left = get_count(in, kOrphansMax); left > 0; --left) {
    follow.orphans.insert(in.zigzag());
  }
  follow.orphans_beyond = in.varint();
  return follow;
}

void put(ByteWriter& out, const RootState& root) {
  out.varint(root.open.size());
  for (const Position& position : root.open) put(out, position);
  put(out, root.pass.at);
  out.u8(root.pass.is_owed ? 1 : 0);
  out.u8(root.pass.is_again ? 1 : 0);
  out.u8(root.pass.has_ended ? 1 : 0);
  put(out, root.changed_by.value);
  put(out, root.changed_by.at);
  out.u8(root.changed_by.is_between ? 1 : 0);
}
RootState get_root(ByteReader& in) {
  RootState root;
  for (std::size_t left = get_count(in, kOpenUnitsMax); left > 0 && in.ok(); --left) {
    root.open.insert(get_position(in));
  }
  root.pass.at = get_position(in);
  root.pass.is_owed = get_flag(in);
  root.pass.is_again = get_flag(in);
  root.pass.has_ended = get_flag(in);
  root.changed_by.value = get_cell(in);
  root.changed_by.at = get_position(in);
  root.changed_by.is_between = get_flag(in);
  return root;
}

}  // namespace

void Follow::move_to(const Probe& probe) {
  last = probe.rowid;
  std::vector<Probe> kept;
  int distance_kept = 64;
  for (auto it = probes.begin(); it != probes.end(); ++it) {  // the farthest first
    if (it->rowid >= probe.rowid) break;
    const auto distance =
        static_cast<std::uint64_t>(probe.rowid) - static_cast<std::uint64_t>(it->rowid);
    const int bits = 64 - __builtin_clzll(distance);
    if (!kept.empty() && bits == distance_kept) kept.pop_back();
    distance_kept = bits;
    kept.push_back(*it);
  }
  kept.push_back(probe);
  probes = std::move(kept);
}

void Pass::owe() {
  if (at.empty()) {
    is_owed = true;
  } else {
    is_again = true;
  }
}
void Pass::finish() {
  at.clear();
  is_owed = is_again;
  is_again = false;
  has_ended = true;
}

std::uint64_t Cursor::open_units() const {
  std::uint64_t count = 0;
  for (const auto& [name, root] : roots) count += root.open.size();
  return count;
}

bool Cursor::is_pass_owed() const {
  for (const auto& [name, root] : roots) {
    if (root.pass.is_owed || !root.pass.at.empty()) return true;
  }
  return false;
}

std::string encode(const Cursor& cursor) {
  ByteWriter out;
  out.u8(kVersion);
  out.varint(cursor.inode);
  out.zigzag(cursor.born_ns);
  out.varint(cursor.settings);
  out.zigzag(cursor.schema_cookie);
  out.u8(cursor.stamp ? 1 : 0);
  if (cursor.stamp) {
    put(out, cursor.stamp->main);
    put(out, cursor.stamp->wal);
  }
  out.varint(cursor.tables.size());
  for (const auto& [name, follow] : cursor.tables) {
    out.text(name);
    put(out, follow);
  }
  out.varint(cursor.roots.size());
  for (const auto& [name, root] : cursor.roots) {
    out.text(name);
    put(out, root);
  }
  out.varint(cursor.refused.size());
  for (const auto& [key, why] : cursor.refused) {
    out.text(key);
    out.text(why);
  }
  return out.take();
}

std::optional<Cursor> decode_cursor(std::string_view bytes) {
  if (bytes.size() > kCursorBytesMax) return {};
  ByteReader in(bytes);
  if (in.u8() != kVersion) return {};
  Cursor cursor;
  cursor.inode = in.varint();
  cursor.born_ns = in.zigzag();
  cursor.settings = in.varint();
  cursor.schema_cookie = in.zigzag();
  if (get_flag(in)) {
    Stamp stamp;
    stamp.main = get_file(in);
    stamp.wal = get_file(in);
    cursor.stamp = stamp;
  }
  for (std::size_t left = get_count(in, kTablesMax); left > 0 && in.ok(); --left) {
    std::string name(in.text(kNameMax));
    cursor.tables.emplace(std::move(name), get_follow(in));
  }
  for (std::size_t left = get_count(in, kTablesMax); left > 0 && in.ok(); --left) {
    std::string name(in.text(kNameMax));
    cursor.roots.emplace(std::move(name), get_root(in));
  }
  for (std::size_t left = get_count(in, kRefusedMax); left > 0 && in.ok(); --left) {
    std::string key(in.text(kTextMax));
    cursor.refused.emplace(std::move(key), std::string(in.text(kTextMax)));
  }
  if (!in.at_end()) return {};
  return cursor;
}

}  // namespace syncline::collections::sqlite
