#include "catalog/catalog.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace syncline::catalog {
namespace {

using core::CatalogDelta;
using core::CatalogDigest;
using core::NodeId;

const NodeId kA("a");
const NodeId kB("b");
constexpr std::size_t kMuch = 1u << 20;

std::map<std::string, std::string> told_by(const Catalog& catalog, const NodeId& owner) {
  std::map<std::string, std::string> out;
  catalog.for_each([&](const NodeId& node, const core::Fact& fact) {
    if (node == owner) out[fact.key] = fact.value;
  });
  return out;
}

TEST(Catalog, passes_facts_on_by_digest_and_delta) {
  Catalog a(kA, 1);
  Catalog b(kB, 1);
  a.assert_own("self", "one");
  a.assert_own("load", "3");
  EXPECT_EQ(b.apply(a.delta_for(b.digest(), kMuch)).size(), 2u);
  EXPECT_EQ(told_by(b, kA), told_by(a, kA));
  EXPECT_TRUE(a.delta_for(b.digest(), kMuch).parts.empty());
}

TEST(Catalog, says_nothing_new_when_a_fact_is_repeated) {
  Catalog a(kA, 1);
  EXPECT_NE(a.assert_own("self", "one"), nullptr);
  EXPECT_EQ(a.assert_own("self", "one"), nullptr);
  EXPECT_EQ(a.remove_own("other"), nullptr);
}

TEST(Catalog, spreads_a_removal) {
  Catalog a(kA, 1);
  Catalog b(kB, 1);
  a.assert_own("obj/models/x", "v1");
  b.apply(a.delta_for(b.digest(), kMuch));
  a.remove_own("obj/models/x");
  const auto changes = b.apply(a.delta_for(b.digest(), kMuch));
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_TRUE(changes[0].fact.is_removed);
  EXPECT_TRUE(told_by(b, kA).empty());
}

TEST(Catalog, voids_the_facts_of_an_older_life) {
  Catalog b(kB, 1);
  Catalog first(kA, 1);
  first.assert_own("log/games/a/1", "1-9");
  b.apply(first.delta_for(b.digest(), kMuch));
  Catalog second(kA, 2);
  second.assert_own("self", "reborn");
  b.apply(second.delta_for(b.digest(), kMuch));
  EXPECT_EQ(told_by(b, kA), (std::map<std::string, std::string>{{"self", "reborn"}}));
  b.apply(first.delta_for(CatalogDigest{}, kMuch));
  EXPECT_EQ(told_by(b, kA).size(), 1u) << "an old delta brought old facts back";
}

TEST(Catalog, leaves_out_a_delta_that_skips_facts) {
  Catalog a(kA, 1);
  Catalog b(kB, 1);
  a.assert_own("one", "1");
  CatalogDigest ahead;
  ahead.marks[kA] = {1, 1};
  a.assert_own("two", "2");
  EXPECT_TRUE(b.apply(a.delta_for(ahead, kMuch)).empty());
  EXPECT_EQ(b.apply(a.delta_for(b.digest(), kMuch)).size(), 2u);
}

TEST(Catalog, sends_much_in_bounded_parts) {
  Catalog a(kA, 1);
  Catalog b(kB, 1);
  for (int i = 0; i < 100; ++i) a.assert_own("key" + std::to_string(i), std::string(100, 'x'));
  int rounds = 0;
  while (!(b.digest().marks[kA] == a.digest().marks[kA])) {
    const CatalogDelta delta = a.delta_for(b.digest(), 1000);
    ASSERT_LE(delta.parts.at(0).facts.size(), 10u);
    b.apply(delta);
    ASSERT_LT(++rounds, 100);
  }
  EXPECT_EQ(told_by(b, kA).size(), 100u);
}

TEST(Catalog, takes_no_malformed_part) {
  Catalog b(kB, 1);
  auto apply = [&](CatalogDelta::Part part) { return b.apply({{std::move(part)}}).size(); };
  EXPECT_EQ(apply({kA, 1, 0, 1, {{2, "k", "v", false}}}), 0u) << "fact above up_to";
  EXPECT_EQ(apply({kA, 1, 0, 3, {{2, "k", "v", false}, {2, "l", "v", false}}}), 0u);
  EXPECT_EQ(apply({kA, 1, 3, 1, {}}), 0u) << "range that ends before it begins";
  EXPECT_EQ(apply({kA, 1, 0, 1, {{1, "", "v", false}}}), 0u) << "empty key";
  EXPECT_EQ(apply({kA, 1, 0, 1, {{1, "k", std::string(70000, 'v'), false}}}), 0u);
  EXPECT_EQ(apply({kB, 9, 0, 1, {{1, "k", "v", false}}}), 0u) << "nobody else writes our part";
}

// Two nodes write, restart and forget; replicas hear of it in any order, repeated and cut. When
// each has heard the newest of all, all say the same: the join is commutative, associative and
// idempotent.
RC_GTEST_PROP(CatalogProperty, replicas_that_heard_everything_are_equal, ()) {
  std::vector<Catalog> writers{Catalog(kA, 1), Catalog(kB, 1)};
  std::vector<Catalog> readers;
  for (int i = 0; i < 3; ++i) readers.emplace_back(NodeId("r" + std::to_string(i)), 1);
  std::vector<CatalogDelta> on_the_way;
  std::vector<std::uint64_t> lives{1, 1};
  const int steps = *rc::gen::inRange(1, 120);
  for (int i = 0; i < steps; ++i) {
    const auto w = *rc::gen::inRange<std::size_t>(0, 2);
    const auto r = *rc::gen::inRange<std::size_t>(0, 3);
    const auto key = "k" + std::to_string(*rc::gen::inRange(0, 5));
    switch (*rc::gen::inRange(0, 7)) {
      case 0:
        writers[w].remove_own(key);
        break;
      case 1:
        if (*rc::gen::inRange(0, 8) == 0) writers[w] = Catalog(w == 0 ? kA : kB, ++lives[w]);
        break;
      case 2:
      case 3:
        writers[w].assert_own(key, std::to_string(i));
        break;
      case 4:
        on_the_way.push_back(writers[w].delta_for(
            readers[r].digest(), static_cast<std::size_t>(*rc::gen::inRange(10, 200))));
        break;
      default:
        if (!on_the_way.empty()) {
          readers[r].apply(on_the_way[*rc::gen::inRange<std::size_t>(0, on_the_way.size())]);
        }
    }
  }
  for (Catalog& reader : readers) {
    for (int i = 0; i < 2; ++i) {
      for (Catalog& writer : writers) reader.apply(writer.delta_for(reader.digest(), kMuch));
    }
    for (std::size_t w = 0; w < 2; ++w) {
      const NodeId& owner = w == 0 ? kA : kB;
      RC_ASSERT(told_by(reader, owner) == told_by(writers[w], owner));
    }
  }
}

}  // namespace
}  // namespace syncline::catalog
