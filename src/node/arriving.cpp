#include "node/arriving.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "collections/files/object_reader.hpp"

namespace syncline::node {

using core::Error;
using core::ErrorKind;

Arriving::Arriving(const collections::files::Landing& landing)
    : size_bytes_(landing.request().object.size_bytes),
      path_(landing.request().path),
      fd_(::open(landing.staged_path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)),
      present_(static_cast<std::size_t>(landing.piece_count())) {
  for (std::uint64_t piece = 0; piece < present_.size(); ++piece) {
    present_[piece] = landing.has_piece(piece);
  }
}

Arriving::~Arriving() {
  if (fd_ >= 0) ::close(fd_);
}

void Arriving::add(std::uint64_t piece) {
  const std::lock_guard lock(mutex_);
  present_[piece] = true;
}

bool Arriving::has_piece(std::uint64_t piece) const {
  const std::lock_guard lock(mutex_);
  return piece < present_.size() && present_[piece];
}

// Whoever gets them verifies them.
core::Result<std::size_t> Arriving::read_at(std::uint64_t offset, std::span<char> into) const {
  const std::uint64_t left = offset < size_bytes_ ? size_bytes_ - offset : 0;
  const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(left, into.size()));
  return collections::files::read_file_at(fd_, offset, into.first(want), path_);
}

core::Result<std::vector<core::Digest256>> Arriving::piece_layer() const {
  return Error{ErrorKind::kMissing, "this node does not hold the object whole", path_};
}

}  // namespace syncline::node
