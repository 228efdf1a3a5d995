// Equal sets of records make equal replicas, in whatever order, grouping and number they came.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "collections/sqlite/replica_test_support.hpp"

namespace syncline::collections::sqlite {
namespace {

using namespace testing;  // NOLINT: a test's own vocabulary

// Some nodes know a column that others do not.
reconcile::Schema wider_schema() {
  reconcile::Schema schema = games_schema();
  schema.tables["games"].columns.push_back({"notes", "notes", "TEXT", "", 0});
  return schema;
}

core::Unit with_notes(core::Unit unit, const std::string& notes) {
  for (core::TableRows& rows : unit.tables) {
    if (rows.table != "games") continue;
    rows.columns.push_back("notes");
    for (auto& row : rows.rows) row.emplace_back(notes);
  }
  reconcile::normalize(unit);
  return unit;
}

// Versions of a few games, written by a few nodes, each at its own time.
std::vector<RecordBatchPtr> draw_history() {
  static const reconcile::Schema narrow = games_schema();
  static const reconcile::Schema wide = wider_schema();
  const int length = *rc::gen::inRange(1, 14);
  std::map<std::string, std::uint64_t> last_seq;
  std::vector<RecordBatchPtr> history;
  for (int i = 0; i < length; ++i) {
    const std::string origin(1, static_cast<char>('a' + *rc::gen::inRange(0, 4)));
    const std::string id = "g" + std::to_string(*rc::gen::inRange(0, 4));
    const core::Unit unit = game(id, *rc::gen::inRange(0, 6), *rc::gen::inRange(1, 3));
    const auto hlc = static_cast<std::uint64_t>(*rc::gen::inRange(1, 20));
    const bool is_wide = *rc::gen::arbitrary<bool>();
    history.push_back(
        is_wide ? batch(origin, ++last_seq[origin], with_notes(unit, "n" + origin), wide, hlc)
                : batch(origin, ++last_seq[origin], unit, narrow, hlc));
  }
  return history;
}

// The same history as a node may have got it: shuffled, in groups, some of it twice.
void bring(Replica& replica, const std::vector<RecordBatchPtr>& history) {
  std::vector<RecordBatchPtr> arrived = history;
  for (std::size_t i = arrived.size(); i > 1; --i) {
    std::swap(arrived[i - 1], arrived[*rc::gen::inRange<std::size_t>(0, i)]);
  }
  const std::size_t again = *rc::gen::inRange<std::size_t>(0, arrived.size());
  for (std::size_t i = 0; i < again; ++i) arrived.push_back(arrived[i]);
  for (std::size_t at = 0; at < arrived.size();) {
    const std::size_t group = std::min(*rc::gen::inRange<std::size_t>(1, 5), arrived.size() - at);
    merge(replica, {arrived.begin() + static_cast<std::ptrdiff_t>(at),
                    arrived.begin() + static_cast<std::ptrdiff_t>(at + group)});
    at += group;
  }
}

RC_GTEST_PROP(ReplicaProperty, does_not_depend_on_order_grouping_or_repetition, ()) {
  const Folder folder;
  const std::vector<RecordBatchPtr> history = draw_history();
  std::set<std::string> games;
  for (const RecordBatchPtr& one : history) games.insert(one->records[0].unit.key);
  std::vector<std::string> first;
  reconcile::Fingerprint print;
  for (int node = 0; node < 3; ++node) {
    const std::string path = folder.path + "/" + std::to_string(node) + ".db";
    const auto replica = open(collection(path));
    bring(*replica, history);
    RC_ASSERT(replica->units() == games.size());
    RC_ASSERT(count(path, "games") == static_cast<std::int64_t>(games.size()));
    RC_ASSERT(ask(path, "PRAGMA foreign_key_check").empty());
    if (node == 0) {
      first = dump(path);
      print = replica->fingerprint();
    }
    RC_ASSERT(dump(path) == first);
    RC_ASSERT(replica->fingerprint() == print);
  }
}

// Repair: what a replica gives back makes another one equal to it.
RC_GTEST_PROP(ReplicaProperty, gives_back_what_makes_another_one_equal, ()) {
  const Folder folder;
  const std::vector<RecordBatchPtr> history = draw_history();
  const auto one = open(collection(folder.path + "/one.db"));
  const auto two = open(collection(folder.path + "/two.db"));
  bring(*one, history);
  std::vector<RecordBatchPtr> given;
  for (const auto& [log, seqs] : one->merged_all()) {
    auto batch = one->read(log, seqs, std::size_t{1} << 20);
    RC_ASSERT(batch.ok());
    given.push_back(std::make_shared<core::RecordBatch>(std::move(batch).value()));
  }
  merge(*two, given);
  RC_ASSERT(dump(folder.path + "/two.db") == dump(folder.path + "/one.db"));
  RC_ASSERT(two->fingerprint() == one->fingerprint());
  RC_ASSERT(two->merged_all() == one->merged_all());
}

}  // namespace
}  // namespace syncline::collections::sqlite
