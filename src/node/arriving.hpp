// An object while it is fetched here: what has come of it is served to others that want it too.
//
// Threads: any; one adds pieces, many read.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "collections/files/landing.hpp"
#include "transports/p2p/types.hpp"

namespace syncline::node {

class Arriving final : public transports::p2p::ServedObject {
 public:
  // Of a landing that is under way, by whoever uses it at the moment.
  explicit Arriving(const collections::files::Landing& landing);
  ~Arriving() override;
  Arriving(const Arriving&) = delete;
  Arriving& operator=(const Arriving&) = delete;

  void add(std::uint64_t piece);  // verified and written

  std::uint64_t size_bytes() const override { return size_bytes_; }
  core::Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const override;
  core::Result<std::vector<core::Digest256>> piece_layer() const override;
  bool has_piece(std::uint64_t piece) const override;
  bool is_arriving() const override { return true; }

 private:
  const std::uint64_t size_bytes_;
  const std::string path_;
  const int fd_;  // of the staged file, that is the landed one later
  mutable std::mutex mutex_;
  std::vector<bool> present_;
};

}  // namespace syncline::node
