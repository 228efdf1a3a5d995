// Values of a `files` collection on one node: what a scan saw, what is remembered of a file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/merkle.hpp"

namespace syncline::collections::files {

using core::kPieceBytes;  // resume, delta and verification work in pieces

// Syncline's own folder inside a collection's root: staging and piece layers. Never scanned.
inline constexpr const char* kOwnFolder = ".syncline";

// What the file system says of a file; two equal stamps mean "not touched since".
struct FileStamp {
  std::uint64_t size_bytes = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;  // moves even where a program sets mtime back; 0 = not remembered
  std::uint64_t inode = 0;
  std::uint32_t mode = 0;  // permission bits
  bool operator==(const FileStamp&) const = default;
};

// What the caller remembers of a file that was hashed, so that an untouched one is not read again.
struct KnownFile {
  core::Root root;
  FileStamp stamp;
  bool operator==(const KnownFile&) const = default;
};

// A file that is new or whose stamp differs from what was known. Where root, mtime and mode are as
// before (it was touched, or rewritten as it was), there is nothing to send: only `known` is newer.
struct SeenFile {
  std::string path;  // relative to the collection's root, '/' between folders
  core::Root root;   // zero for the empty file
  std::uint64_t size_bytes = 0;
  std::int64_t mtime_ms = 0;
  std::uint32_t mode = 0644;
  KnownFile known;  // to be remembered once the engine took this version in
  bool operator==(const SeenFile&) const = default;
};

struct ScanOutcome {
  std::vector<SeenFile> changed;
  std::vector<std::string> gone;      // known, and not there any more
  std::vector<std::string> unstable;  // being written: look again in stable_ms
  std::vector<std::string> problems;  // one line each: what, on which path, what to do
  std::uint64_t files = 0;            // looked at, of those that the collection includes
  std::uint64_t bytes_hashed = 0;
  bool is_interrupted = false;  // cancel() was called: `gone` is empty, scan again
};

}  // namespace syncline::collections::files
