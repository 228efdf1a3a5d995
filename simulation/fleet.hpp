// The machines of one run, what happens to them, and those who watch.
#pragma once

#include <memory>
#include <vector>

#include "simulation/checkers/checker.hpp"
#include "simulation/run.hpp"

namespace syncline::simulation {

class Fleet {
 public:
  Fleet(const Plan& plan, const RunOptions& options);
  Outcome run();

 private:
  void attach_network();
  void attach_watch();
  void apply(const Step& step);
  void ask(const Step& step);
  void stop(const Step& step, bool is_for_ever);
  void lose(Node& node, bool is_wiped, std::int64_t down_ms);
  void start_later(Node& node, std::int64_t pause_ms);
  void heal();
  bool is_failed();
  void every_second();
  std::optional<Failure> find_failure() const;
  std::string missing(std::string* checker);
  Node& node(int index) { return *world_.nodes[static_cast<std::size_t>(index)]; }

  World world_;
  Truth truth_;
  std::vector<std::unique_ptr<Checker>> checkers_;
  std::map<int, bool> stopping_;  // node -> for ever
  std::uint64_t next_request_ = 1;
  std::optional<Failure> failure_;
};

}  // namespace syncline::simulation
