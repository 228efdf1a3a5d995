// One file, open to be served as one object; notices when the file changes underneath.
//
// Threads: read_at from any number at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "collections/files/types.hpp"
#include "core/result.hpp"

namespace syncline::collections::files {

// Fills `into` from `offset` of an open file; fewer bytes only at its end. `path`: for messages.
core::Result<std::size_t> read_file_at(int fd, std::uint64_t offset, std::span<char> into,
                                       const std::string& path);

class ObjectReader {
 public:
  // Takes the descriptor over. `path` is for messages only.
  ObjectReader(int fd, std::string path, const KnownFile& expected);
  ~ObjectReader();
  ObjectReader(const ObjectReader&) = delete;
  ObjectReader& operator=(const ObjectReader&) = delete;

  const KnownFile& known() const { return known_; }
  std::uint64_t size_bytes() const { return known_.stamp.size_bytes; }

  // Fills `into` from `offset`; fewer bytes only at the end of the object.
  // kConflict: the file is not the one that was hashed any more; its bytes must not be sent on.
  core::Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const;

  // For sendfile and copy_file_range; stays owned by the reader.
  int fd() const { return fd_; }
  // kConflict if the file has changed since it was hashed: ask after a transfer by fd().
  core::Status check_unchanged() const;

 private:
  int fd_;
  std::string path_;
  KnownFile known_;
};

}  // namespace syncline::collections::files
