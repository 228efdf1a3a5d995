// Who lacks what, and where it can be had: the part of planning that all strategies share.
#pragma once

#include <vector>

#include "strategy/plan.hpp"

namespace syncline::strategy {

const core::CollectionConfig* find_collection(const View& view,
                                              const core::CollectionName& collection);

// What this node wants and has not, newest first, each from the best holders; holders are spread,
// so that many nodes that lack the same do not all ask the same one.
void add_pulls(const View& view, std::vector<Intent>& out);

// What `target` wants and has not, as far as this node has it; newest first.
void add_pushes_to(const View& view, const core::NodeId& target, const std::string& why,
                   std::vector<Intent>& out);

// For agentless nodes of which this node is the first holder: they cannot fetch for themselves.
void add_pushes_to_agentless(const View& view, std::vector<Intent>& out);

// "games: 1 copy can be made of the 3 wanted …" for each collection that falls short.
void add_problems(const View& view, std::vector<std::string>& out);

}  // namespace syncline::strategy
