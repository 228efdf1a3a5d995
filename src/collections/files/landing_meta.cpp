#include "collections/files/landing_meta.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ctime>

#include "collections/files/confined.hpp"
#include "collections/files/content_hash.hpp"
#include "core/check.hpp"
#include "core/hex.hpp"
#include "core/sha256.hpp"

namespace syncline::collections::files {
namespace {

using core::Error;
using core::ErrorKind;

constexpr std::string_view kFirstLine = "syncline-landing 2";

Error corrupt(const char* why) {
  return {ErrorKind::kCorrupt, std::string("the notes of a staged file are damaged: ") + why, ""};
}

// Takes "name value\n" off the front.
bool take_line(std::string_view& text, std::string_view name, std::string_view& value) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return false;
  const std::string_view line = text.substr(0, end);
  if (line.size() <= name.size() || line.substr(0, name.size()) != name ||
      line[name.size()] != ' ') {
    return false;
  }
  value = line.substr(name.size() + 1);
  text.remove_prefix(end + 1);
  return true;
}

}  // namespace

core::Result<PieceSet> PieceSet::from_bytes(std::string bits, std::uint64_t count) {
  PieceSet set(count);
  if (bits.size() != set.bits_.size()) return corrupt("the bitfield has the wrong length");
  set.bits_ = std::move(bits);
  for (std::uint64_t i = 0; i < set.bits_.size() * 8; ++i) {
    const bool is_set = (static_cast<unsigned char>(set.bits_[i / 8]) >> (i % 8)) & 1;
    if (is_set && i >= count) return corrupt("the bitfield names pieces that do not exist");
    set.present_ += is_set ? 1 : 0;
  }
  return set;
}

bool PieceSet::has(std::uint64_t piece) const {
  SYNCLINE_CHECK(piece < count_, "piece", piece, "of", count_);
  return (static_cast<unsigned char>(bits_[piece / 8]) >> (piece % 8)) & 1;
}

void PieceSet::add(std::uint64_t piece) {
  if (has(piece)) return;
  bits_[piece / 8] = static_cast<char>(bits_[piece / 8] | (1 << (piece % 8)));
  ++present_;
}

void PieceSet::remove(std::uint64_t piece) {
  if (!has(piece)) return;
  bits_[piece / 8] = static_cast<char>(bits_[piece / 8] & ~(1 << (piece % 8)));
  --present_;
}

std::string PieceSet::missing_bytes() const {
  std::string missing(bits_.size(), '\0');
  for (std::uint64_t i = 0; i < count_; ++i) {
    if (!has(i)) missing[i / 8] = static_cast<char>(missing[i / 8] | (1 << (i % 8)));
  }
  return missing;
}

std::string encode(const LandingMeta& meta) {
  std::string text(kFirstLine);
  text += "\npath " + core::hex_of(meta.path) + "\nroot " + to_hex(meta.root) + "\nsize " +
          std::to_string(meta.size_bytes) + "\nreplaces " + to_hex(meta.replaces) + "\npieces x" +
          core::hex_of(meta.pieces.bytes()) + '\n';
  return text + "sum " + to_hex(core::sha256(text)) + '\n';
}

core::Result<LandingMeta> decode_landing_meta(std::string_view bytes) {
  if (bytes.size() > kMetaBytesMax) return corrupt("they are too long");
  const std::string_view whole = bytes;
  if (bytes.substr(0, kFirstLine.size()) != kFirstLine ||
      bytes.substr(kFirstLine.size(), 1) != "\n") {
    return corrupt("the first line is unknown");
  }
  bytes.remove_prefix(kFirstLine.size() + 1);
  LandingMeta meta;
  std::string_view path, root, size, replaces, pieces, sum;
  if (!take_line(bytes, "path", path) || !take_line(bytes, "root", root) ||
      !take_line(bytes, "size", size) || !take_line(bytes, "replaces", replaces) ||
      !take_line(bytes, "pieces", pieces)) {
    return corrupt("a line is missing");
  }
  const std::string_view summed = whole.substr(0, whole.size() - bytes.size());
  if (!take_line(bytes, "sum", sum) || !bytes.empty() || sum != to_hex(core::sha256(summed))) {
    return corrupt("the sum does not match");
  }
  const auto known_path = core::bytes_of_hex(path);
  const bool has_pieces = pieces.substr(0, 1) == "x";
  auto bits = has_pieces ? core::bytes_of_hex(pieces.substr(1)) : std::nullopt;
  const auto number = std::from_chars(size.data(), size.data() + size.size(), meta.size_bytes);
  if (!known_path || !bits || !core::from_hex(root, meta.root) ||
      !core::from_hex(replaces, meta.replaces) || number.ec != std::errc() ||
      number.ptr != size.data() + size.size() || meta.size_bytes > kObjectBytesMax) {
    return corrupt("a value cannot be read");
  }
  meta.path = *known_path;
  SYNCLINE_TRY(check_path(meta.path));
  SYNCLINE_ASSIGN(meta.pieces,
                  PieceSet::from_bytes(*std::move(bits), piece_count_of(meta.size_bytes)));
  // Capital letters, leading zeros: nothing that encode writes.
  if (encode(meta) != whole) return corrupt("a value is not written as it must be");
  return meta;
}

std::string landing_id(std::string_view path, const core::Root& root) {
  std::string text(path);
  text.push_back('\0');
  text += to_hex(root);
  return to_hex(core::sha256(text)).substr(0, 32);
}

std::string conflict_name(const std::string& path, std::int64_t mtime_ms, const core::NodeId& node,
                          int attempt) {
  const auto [folder, name] = split_path(path);
  // A leading dot hides a file; it starts no ending.
  const std::size_t dot = name.rfind('.');
  const bool has_ending = dot != std::string::npos && dot != 0;
  std::string stem = has_ending ? name.substr(0, dot) : name;
  const std::string ending = has_ending ? name.substr(dot) : "";
  const std::time_t seconds = static_cast<std::time_t>(mtime_ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char when[32];
  std::strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &utc);
  std::string mark = std::string(".sync-conflict-") + when + '-' + node.text;
  if (attempt > 1) mark += '-' + std::to_string(attempt);
  const std::size_t room = kNameBytesMax - std::min(kNameBytesMax, mark.size() + ending.size());
  if (stem.size() > room) {
    stem.resize(room);
    // Not through the middle of a character.
    while (!stem.empty() && !check_path(stem).ok()) stem.pop_back();
  }
  const std::string made = stem + mark + ending;
  return folder.empty() ? made : folder + '/' + made;
}

}  // namespace syncline::collections::files
