#include "routing/domains.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

namespace syncline::routing {
namespace {

Domain on(const char* host, const char* storage = "") {
  return {host, storage, "", ""};
}

int count(const std::vector<Domain>& domains, const Domain* origin = nullptr, int enough = 0) {
  std::vector<const Domain*> holders;
  for (const Domain& domain : domains) holders.push_back(&domain);
  return distinct_domains(holders, origin, enough);
}

struct Case {
  const char* name;
  std::vector<Domain> holders;
  int copies;
};

TEST(Domains, counts_a_copy_only_where_it_would_survive_alone) {
  const std::vector<Case> cases = {
      {"nobody", {}, 0},
      {"one node", {on("h1")}, 1},
      {"two machines", {on("h1"), on("h2")}, 2},
      {"two daemons on one machine", {on("h1", "d1"), on("h1", "d2")}, 1},
      {"three machines on one NFS export", {on("h1", "nfs"), on("h2", "nfs"), on("h3", "nfs")}, 1},
      {"an export and a local disk", {on("h1", "nfs"), on("h2", "nfs"), on("h3")}, 2},
      {"a chain is two: no single loss takes both ends",
       {on("h1", "nfs"), on("h2", "nfs"), on("h2", "disk2")},
       2},
      {"a ring of two hosts and two storages",
       {on("h1", "a"), on("h1", "b"), on("h2", "a"), on("h2", "b")},
       2},
      {"a node that has not told where it runs", {on("h1"), on("")}, 1},
  };
  for (const Case& c : cases) EXPECT_EQ(count(c.holders), c.copies) << c.name;
}

TEST(Domains, leaves_out_what_dies_with_the_origin) {
  const Domain origin = on("h1", "nfs");
  EXPECT_EQ(count({on("h1", "disk"), on("h2", "nfs"), on("h3")}, &origin), 1);
}

TEST(Domains, counts_everybody_beside_an_origin_of_which_nothing_is_known) {
  const Domain origin;
  EXPECT_EQ(count({on("h1"), on("h2")}, &origin), 2);
}

TEST(Domains, stops_counting_when_there_are_enough) {
  EXPECT_EQ(count({on("h1"), on("h2"), on("h3")}, nullptr, 2), 2);
}

TEST(Domains, provider_and_zone_are_no_identity) {
  EXPECT_EQ(count({{"h1", "", "vast", "eu"}, {"h2", "", "vast", "eu"}}), 2);
}

TEST(Domains, a_preferred_node_gives_way_when_it_stands_between_two_others) {
  const std::vector<Domain> domains = {on("h1", "s1"), on("h1", "s2"), on("h2", "s1")};
  std::vector<const Domain*> holders;
  for (const Domain& domain : domains) holders.push_back(&domain);
  EXPECT_EQ(independent_subset(holders, 1), (std::vector<std::size_t>{0}));
  EXPECT_EQ(independent_subset(holders, 2), (std::vector<std::size_t>{1, 2}));
}

// Small universes, so that sharing is common.
rc::Gen<std::vector<Domain>> fleets() {
  return rc::gen::mapcat(rc::gen::inRange(0, 8), [](int size) {
    return rc::gen::container<std::vector<Domain>>(
        static_cast<std::size_t>(size),
        rc::gen::map(rc::gen::pair(rc::gen::inRange(0, 4), rc::gen::inRange(0, 5)),
                     [](std::pair<int, int> drawn) {
                       return on(
                           ("h" + std::to_string(drawn.first)).c_str(),
                           drawn.second == 0 ? "" : ("s" + std::to_string(drawn.second)).c_str());
                     }));
  });
}

// The definition, by brute force: the fewest losses of hosts and storages that take every copy.
int fewest_losses(const std::vector<Domain>& domains) {
  std::set<std::string> names;
  const auto storage_of = [](const Domain& d) {
    return d.storage.empty() ? "on " + d.host : d.storage;
  };
  for (const Domain& domain : domains) {
    names.insert(domain.host);
    names.insert(storage_of(domain));
  }
  const std::vector<std::string> all(names.begin(), names.end());
  int fewest = static_cast<int>(all.size());
  for (unsigned lost = 0; lost < (1u << all.size()); ++lost) {
    const auto is_lost = [&](const std::string& name) {
      const auto at = std::find(all.begin(), all.end(), name) - all.begin();
      return (lost >> at & 1u) != 0;
    };
    const bool is_all_gone = std::all_of(domains.begin(), domains.end(), [&](const Domain& d) {
      return is_lost(d.host) || is_lost(storage_of(d));
    });
    if (is_all_gone) fewest = std::min(fewest, __builtin_popcount(lost));
  }
  return fewest;
}

RC_GTEST_PROP(Domains, the_count_is_the_fewest_losses_that_destroy_every_copy, ()) {
  const auto domains = *fleets();
  RC_ASSERT(count(domains) == fewest_losses(domains));
}

RC_GTEST_PROP(Domains, a_chosen_subset_is_independent_and_as_large_as_can_be, ()) {
  const auto domains = *fleets();
  const auto wanted = static_cast<std::size_t>(*rc::gen::inRange(0, 6));
  std::vector<const Domain*> holders;
  for (const Domain& domain : domains) holders.push_back(&domain);
  const auto chosen = independent_subset(holders, wanted);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    for (std::size_t j = i + 1; j < chosen.size(); ++j) {
      RC_ASSERT(!share_failure(domains[chosen[i]], domains[chosen[j]]));
    }
  }
  RC_ASSERT(chosen.size() == std::min(wanted, static_cast<std::size_t>(fewest_losses(domains))));
}

}  // namespace
}  // namespace syncline::routing
