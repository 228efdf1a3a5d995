// Piece layers of the objects of one collection, kept in <root>/.syncline/layers/<root in hex>:
// 32 bytes per piece, nothing else. A cache: a missing or damaged one is made again from the file.
//
// Threads: any, at once.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "collections/files/confined.hpp"
#include "core/ids.hpp"

namespace syncline::collections::files {

class LayerStore {
 public:
  explicit LayerStore(const Confined& root) : root_(root) {}

  // Objects of one piece have no layer of their own: nothing is stored. A root that cannot be
  // written to is no error either: the layer is made again when it is asked for.
  void save(const core::Root& root, const std::vector<core::Digest256>& layer) const;
  // Only what hashes to `root`; empty otherwise.
  std::optional<std::vector<core::Digest256>> load(const core::Root& root,
                                                   std::uint64_t size_bytes) const;
  void keep_only(const std::set<core::Root>& wanted) const;

 private:
  const Confined& root_;
};

}  // namespace syncline::collections::files
