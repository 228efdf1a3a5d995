// A checker holds one promise against what really happens. Safety: fail() at the moment it breaks.
// Liveness: after the faults end, missing() must become empty within bounded virtual time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulation/truth.hpp"

namespace syncline::simulation {

class Checker {
 public:
  Checker(const World& world, const Truth& truth) : world_(world), truth_(truth) {}
  virtual ~Checker() = default;
  virtual const char* name() const = 0;

  virtual void sent(const Node&, const core::Message&) {}
  virtual void journalled(const Node&, const core::LogId&, const core::RecordBatch&) {}
  virtual void forgotten(const Node&, const core::LogId&, const core::SeqSet&) {}
  virtual void stepped(const Node&) {}
  virtual void synced(const Node&, std::uint64_t, const facade::SyncResponse&) {}
  virtual void flushed(const Node&, std::uint64_t, const facade::FlushReport&) {}
  virtual void stop_ready(const Node&, bool) {}
  virtual void second() {}   // once in each virtual second
  virtual void settled() {}  // the fleet has healed and nothing is missing
  // What is not yet as it must become once everything works again; empty: nothing.
  virtual std::string missing() { return {}; }

  const std::optional<std::string>& failure() const { return failure_; }

 protected:
  void fail(const std::string& what) {
    if (!failure_) failure_ = what;
  }
  std::vector<const Node*> running() const {
    std::vector<const Node*> nodes;
    for (const auto& node : world_.nodes) {
      if (node->is_running()) nodes.push_back(node.get());
    }
    return nodes;
  }
  const World& world_;
  const Truth& truth_;

 private:
  std::optional<std::string> failure_;
};

template <typename T>
std::unique_ptr<Checker> make(const World& world, const Truth& truth) {
  return std::make_unique<T>(world, truth);
}
using MakeChecker = std::unique_ptr<Checker> (*)(const World&, const Truth&);

std::unique_ptr<Checker> acks_are_true(const World& world, const Truth& truth);
std::unique_ptr<Checker> claims_are_true(const World& world, const Truth& truth);
std::unique_ptr<Checker> nothing_is_lost(const World& world, const Truth& truth);
std::unique_ptr<Checker> units_are_whole(const World& world, const Truth& truth);
std::unique_ptr<Checker> watermarks_grow(const World& world, const Truth& truth);
std::unique_ptr<Checker> everything_is_bounded(const World& world, const Truth& truth);
std::unique_ptr<Checker> catalogs_agree(const World& world, const Truth& truth);
std::unique_ptr<Checker> records_have_their_copies(const World& world, const Truth& truth);
std::unique_ptr<Checker> files_have_their_copies(const World& world, const Truth& truth);
std::unique_ptr<Checker> status_is_true(const World& world, const Truth& truth);
std::unique_ptr<Checker> requests_are_answered(const World& world, const Truth& truth);
std::unique_ptr<Checker> leaders_agree(const World& world, const Truth& truth);
std::unique_ptr<Checker> nobody_dies_falsely(const World& world, const Truth& truth);
std::unique_ptr<Checker> removed_stay_removed(const World& world, const Truth& truth);

// Every one above.
std::vector<std::unique_ptr<Checker>> all_checkers(const World& world, const Truth& truth);

}  // namespace syncline::simulation
