// When is a file finished? Nobody says so; this judges from what can be seen.
//
// ctime cannot be set by programs, so "ctime lies stable_ms back" holds for files that were copied
// with an old mtime too. Where clocks disagree (an NFS server ahead of us, a clock set back), a
// file is watched instead: the same stamp at two looks, stable_ms apart. Pure; no clock and no file
// is touched here.
#pragma once

#include <cstdint>
#include <optional>

#include "collections/files/types.hpp"
#include "core/time.hpp"

namespace syncline::collections::files {

// A write within one tick of the kernel's file clock (4 ms, some file systems 10) may leave mtime
// as it was: no less than this is ever taken as quiet.
inline constexpr std::int64_t kQuietMsMin = 20;
// A file that somebody holds open for writing, but leaves alone for so many times stable_ms, is
// taken: programs that keep logs and archives open all day would otherwise never be synced.
inline constexpr std::int64_t kIdleWriterFactor = 30;

// An unstable file as it was first seen with this stamp.
struct Watched {
  FileStamp stamp;
  core::WallMs since;
};

struct Look {
  FileStamp stamp;
  core::WallMs now;
  std::int64_t stable_ms = 1000;
  std::optional<Watched> watched;  // from earlier looks
};

// How long the file is known to have been left alone, in ms; 0 if it was just touched.
std::int64_t quiet_ms(const Look& look);
bool is_quiet(const Look& look);
// REQUIRES: is_quiet. False while the writer may still come back.
bool is_writer_idle(const Look& look);
// What to remember of an unstable file for the next look.
Watched watch(const Look& look);

}  // namespace syncline::collections::files
