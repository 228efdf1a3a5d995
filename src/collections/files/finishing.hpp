// Many landings in a row, with one sync of the file system for each lot of them.
//
// A landing needs two syncs: its data before it gets its name, its folder before anybody is told.
// Where one lot follows another, the sync of this one's data is that of the last one's folders.
// Threads: one.
#pragma once

#include <memory>
#include <vector>

#include "collections/files/landing.hpp"
#include "collections/files/landing_site.hpp"

namespace syncline::collections::files {

class Finishing {
 public:
  explicit Finishing(const LandingSite& site);
  explicit Finishing(std::shared_ptr<LandingSite::State> site);
  ~Finishing();  // REQUIRES: the last call of next() had no landings
  Finishing(const Finishing&) = delete;
  Finishing& operator=(const Finishing&) = delete;

  // Puts these into their places (all of each is present), and answers for those of the call
  // before, in their order: what is ok is in its place, durably. One failure fails only itself.
  // Landings live until they are answered for.
  std::vector<core::Result<Landed>> next(const std::vector<Landing*>& landings);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace syncline::collections::files
