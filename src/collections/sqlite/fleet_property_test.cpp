// A small fleet over the collections that older programs write: 2 to 5 nodes, each with a live
// database and a replica of its own. Writes, reads of the live databases, exchanges between two
// replicas and restarts come in any order; what all of them hold in the end depends on what was
// written, and on nothing else.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "collections/sqlite/replica_test_support.hpp"
#include "collections/sqlite/source.hpp"

namespace syncline::collections::sqlite {
namespace {

using namespace testing;  // NOLINT: a test's own vocabulary
using syncline::sqlite::Database;
using syncline::sqlite::OpenMode;

// One node: its program's database, what its journal knows of it, its log and its replica.
class FleetNode : public KnownUnits {
 public:
  FleetNode(int number, std::string folder, core::CollectionConfig config)
      : number_(number), folder_(std::move(folder)), config_(std::move(config)) {
    std::filesystem::create_directories(folder_ + "/live");
    config_.root = std::filesystem::canonical(folder_ + "/live").string();
    config_.include = {"*.db"};
    config_.replica = folder_ + "/replica.db";
    replica_ = open(config_);
  }

  std::optional<core::Digest256> hash_of(const std::string& key) const override {
    const auto found = known_.find(key);
    return found == known_.end() ? std::nullopt : std::optional(found->second);
  }

  // As the program would: the database is made by its first statement.
  void write(const std::string& sql) {
    auto db = Database::open(config_.root + "/program.db", OpenMode::kReadWriteCreate);
    RC_ASSERT(db.ok());
    const core::Status done = db->run(sql);
    if (!done.ok()) RC_FAIL(core::to_string(done.error()) + " in " + sql);
  }

  // What is new in the live database goes into this node's log and replica.
  void read_live(std::uint64_t hlc) {
    if (!source_) {
      auto opened = Source::open(config_);
      RC_ASSERT(opened.ok());
      source_ = std::move(opened).value();
    }
    for (int reads = 0; reads < 100; ++reads) {
      const ReadOutcome outcome =
          source_->read(cursors_, *this, ReadLimits{}, nullptr, core::WallMs{1'000'000});
      RC_ASSERT(outcome.problems.empty());
      for (const auto& [name, cursor] : outcome.cursors) cursors_[name] = cursor;
      take(outcome, hlc);
      if (!outcome.has_more && !outcome.compares_on) return;
    }
    RC_FAIL("a read always told of more");
  }

  // Everything that `other` has merged and this one has not.
  void pull(FleetNode& other) {
    const auto here = replica_->merged_all();
    for (const auto& [log, seqs] : other.replica_->merged_all()) {
      const auto found = here.find(log);
      const SeqSet missing = found == here.end() ? seqs : seqs.minus(found->second);
      if (missing.empty()) continue;
      auto batch = other.replica_->read(log, missing, std::size_t{1} << 20);
      RC_ASSERT(batch.ok());
      merge(*replica_, std::make_shared<core::RecordBatch>(std::move(batch).value()));
    }
  }

  void restart() {
    source_.reset();
    replica_.reset();
    replica_ = open(config_);
  }

  int number() const { return number_; }
  Replica& replica() { return *replica_; }
  const std::string& path() const { return config_.replica; }

 private:
  void take(const ReadOutcome& outcome, std::uint64_t hlc) {
    auto batch = std::make_shared<core::RecordBatch>();
    batch->log = log_of(std::string(1, static_cast<char>('a' + number_)));
    batch->schemas = outcome.schemas;
    for (const core::EncodedUnit& unit : outcome.units) {
      known_[unit.key] = unit.hash;
      core::Record record;
      record.seq = {++last_seq_};
      record.hlc = hlc;
      record.committed_at = {static_cast<std::int64_t>(hlc)};
      record.unit = unit;
      batch->records.push_back(std::move(record));
    }
    if (!batch->records.empty()) RC_ASSERT(merge(*replica_, batch).problems.empty());
  }

  int number_;
  std::string folder_;
  core::CollectionConfig config_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<Source> source_;
  std::map<std::string, std::string> cursors_;
  std::map<std::string, core::Digest256> known_;
  std::uint64_t last_seq_ = 0;
};

class Fleet {
 public:
  explicit Fleet(const core::CollectionConfig& config) {
    const int count = *rc::gen::inRange(2, 6);
    for (int i = 0; i < count; ++i) {
      nodes_.push_back(
          std::make_unique<FleetNode>(i, folder_.path + "/" + std::to_string(i), config));
    }
  }

  // Steps of the fleet in any order; `write(node)` is the program's part.
  template <typename Write>
  void live(Write write) {
    for (int step = *rc::gen::inRange(4, 25); step > 0; --step) {
      FleetNode& node = any();
      switch (*rc::gen::inRange(0, 8)) {
        case 0:
          node.read_live(clock(node));
          break;
        case 1:
          node.pull(any());
          break;
        case 2:
          node.restart();
          break;
        default:
          write(node);
      }
    }
  }

  // Everybody reads what is left and hears of everything, in whatever order.
  void settle() {
    for (const auto& node : nodes_) node->read_live(clock(*node));
    const std::size_t first = *rc::gen::inRange<std::size_t>(0, nodes_.size());
    for (std::size_t i = 1; i < 2 * nodes_.size(); ++i) {  // twice round the ring
      nodes_[(first + i) % nodes_.size()]->pull(*nodes_[(first + i - 1) % nodes_.size()]);
    }
  }

  // The same rows, whatever numbers they were given, and the same fingerprint.
  void assert_equal(const std::set<std::string>& surrogates) {
    const auto wanted = dump(nodes_[0]->path(), surrogates);
    for (const auto& node : nodes_) {
      RC_ASSERT(dump(node->path(), surrogates) == wanted);
      RC_ASSERT(node->replica().fingerprint() == nodes_[0]->replica().fingerprint());
      RC_ASSERT(ask(node->path(), "PRAGMA foreign_key_check").empty());
    }
  }

  const std::vector<std::unique_ptr<FleetNode>>& nodes() const { return nodes_; }

 private:
  FleetNode& any() { return *nodes_[*rc::gen::inRange<std::size_t>(0, nodes_.size())]; }
  // Clocks differ by node and never go back.
  std::uint64_t clock(const FleetNode& node) {
    return 1'000'000 + ++steps_ * 10 + static_cast<std::uint64_t>((node.number() * 37) % 50);
  }

  Folder folder_;
  std::vector<std::unique_ptr<FleetNode>> nodes_;
  std::uint64_t steps_ = 0;
};

// ---- ratings ----

using Match = std::tuple<int, std::string, std::string, std::string>;  // time, a, b, winner

core::CollectionConfig ratings_collection() {
  core::CollectionConfig config = collection("", "");
  config.name = core::CollectionName("games");
  config.derive.by = "elo";
  config.tables["elo_ratings"].rule = core::MergeRule::kDerived;
  config.tables["match_history"].aliases = {{"model_a", "participant_a"},
                                            {"model_b", "participant_b"}};
  return config;
}

// Two generations of the program call their columns differently; both number matches from 1.
std::string elo_schema(int node) {
  const std::string who = node % 2 == 0 ? "model" : "participant";
  return "CREATE TABLE IF NOT EXISTS participants (participant_id TEXT PRIMARY KEY, kind TEXT);"
         "CREATE TABLE IF NOT EXISTS match_history (id INTEGER PRIMARY KEY AUTOINCREMENT, " +
         who + "_a TEXT, " + who +
         "_b TEXT, winner TEXT, board_type TEXT, num_players INTEGER, timestamp INTEGER);"
         "CREATE TABLE IF NOT EXISTS elo_ratings (participant_id TEXT, board_type TEXT,"
         " num_players INTEGER, rating REAL, PRIMARY KEY (participant_id, board_type,"
         " num_players));";
}

std::string quoted_list(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "'" : ", '") + text + "'";
  return out;
}

// Elo as in the textbook, over the matches by time.
std::map<std::string, double> expected_ratings(const std::set<Match>& matches) {
  std::map<std::string, double> points;
  for (const auto& [time, a, b, winner] : matches) {
    double& of_a = points.try_emplace(a, 1500.0).first->second;
    double& of_b = points.try_emplace(b, 1500.0).first->second;
    const double scored = winner == "draw" ? 0.5 : winner == a ? 1.0 : 0.0;
    const double gain = 32 * (scored - 1 / (1 + std::pow(10, (of_b - of_a) / 400)));
    of_a += gain;
    of_b -= gain;
  }
  return points;
}

RC_GTEST_PROP(FleetProperty, matches_are_united_and_rated_the_same_on_every_node, ()) {
  Fleet fleet(ratings_collection());
  std::set<Match> written;
  std::map<int, std::set<int>> has;  // node -> times: one program writes a match once
  fleet.live([&](FleetNode& node) {
    const int time = *rc::gen::inRange(1, 15);
    if (!has[node.number()].insert(time).second) return;
    // The match of a time is the same wherever it is written: some are known to several programs.
    const std::string a = "p" + std::to_string(time % 3);
    const std::string b = "q" + std::to_string(time % 2);
    const std::string winner = time % 5 == 0 ? "draw" : time % 3 == 1 ? a : b;
    written.insert({time, a, b, winner});
    node.write(elo_schema(node.number()) + "BEGIN; INSERT OR IGNORE INTO participants VALUES ('" +
               a + "', 'model'), ('" + b + "', 'model');" +
               "INSERT INTO match_history VALUES (NULL, " + quoted_list({a, b, winner, "hex8"}) +
               ", 2, " + std::to_string(time) + ");" +
               "INSERT OR REPLACE INTO elo_ratings VALUES ('" + a + "', 'hex8', 2, " +
               std::to_string(1000 + node.number()) + "); COMMIT;");
  });
  fleet.settle();
  if (written.empty()) return;
  fleet.assert_equal({"match_history.id"});

  std::vector<std::string> matches;
  std::set<std::string> participants;
  for (const auto& [time, a, b, winner] : written) {
    matches.push_back(std::to_string(time) + "|'" + a + "'|'" + b + "'|'" + winner + "'");
    participants.insert("'" + a + "'|'model'");
    participants.insert("'" + b + "'|'model'");
  }
  const std::map<std::string, double> wanted = expected_ratings(written);
  for (const auto& node : fleet.nodes()) {
    RC_ASSERT(ask(node->path(),
                  "SELECT timestamp, participant_a, participant_b, winner FROM match_history "
                  "ORDER BY timestamp") == matches);
    RC_ASSERT(ask(node->path(), "SELECT participant_id, kind FROM participants ORDER BY 1") ==
              std::vector<std::string>(participants.begin(), participants.end()));
    const auto rated = ask(node->path(), "SELECT participant_id, rating FROM elo_ratings");
    RC_ASSERT(rated.size() == wanted.size());
    for (const std::string& row : rated) {
      const std::string who = row.substr(1, row.find('|') - 2);
      const double rating = std::stod(row.substr(row.find('|') + 1));
      RC_ASSERT(std::abs(rating - wanted.at(who)) < 1e-5);
    }
  }
}

// ---- registry ----

core::CollectionConfig registry_collection() {
  core::CollectionConfig config = collection("", "");
  for (const char* name : {"models", "versions"}) {
    config.tables[name].rule = core::MergeRule::kLatest;
    config.tables[name].latest_by = "updated_at";
  }
  return config;
}

constexpr const char* kRegistrySchema =
    "CREATE TABLE IF NOT EXISTS models (model_id TEXT PRIMARY KEY, name TEXT, updated_at INTEGER);"
    "CREATE TABLE IF NOT EXISTS versions (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " model_id TEXT REFERENCES models (model_id), version INTEGER, stage TEXT,"
    " updated_at INTEGER, UNIQUE (model_id, version));"
    "CREATE TABLE IF NOT EXISTS stage_transitions (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " version_id INTEGER REFERENCES versions (id), to_stage TEXT, at INTEGER);";

RC_GTEST_PROP(FleetProperty, the_newer_registry_row_wins_and_every_transition_is_kept, ()) {
  Fleet fleet(registry_collection());
  std::map<std::pair<std::string, int>, std::string> newest;  // version -> stage, by time
  std::map<std::string, std::string> names;
  std::set<std::string> transitions;
  int now = 0;
  fleet.live([&](FleetNode& node) {
    const std::string at = std::to_string(++now);
    const std::string model = "m" + std::to_string(*rc::gen::inRange(0, 2));
    const int version = *rc::gen::inRange(1, 3);
    const std::string stage = "stage" + std::to_string(*rc::gen::inRange(0, 3));
    const std::string name = "by " + std::to_string(node.number()) + " at " + at;
    newest[{model, version}] = stage;
    names[model] = name;
    transitions.insert("'" + model + "'|" + std::to_string(version) + "|'" + stage + "'|" + at);
    node.write(std::string(kRegistrySchema) + "BEGIN; INSERT INTO models VALUES (" +
               quoted_list({model, name}) + ", " + at +
               ") ON CONFLICT DO UPDATE SET name = excluded.name, updated_at = "
               "excluded.updated_at; INSERT INTO versions VALUES (NULL, '" +
               model + "', " + std::to_string(version) + ", '" + stage + "', " + at +
               ") ON CONFLICT (model_id, version) DO UPDATE SET stage = excluded.stage,"
               " updated_at = excluded.updated_at; INSERT INTO stage_transitions SELECT NULL, id, "
               "'" +
               stage + "', " + at + " FROM versions WHERE model_id = '" + model +
               "' AND version = " + std::to_string(version) + "; COMMIT;");
  });
  fleet.settle();
  if (names.empty()) return;
  fleet.assert_equal({"versions.id", "stage_transitions.id", "stage_transitions.version_id"});

  std::vector<std::string> versions, models;
  for (const auto& [key, stage] : newest) {
    versions.push_back("'" + key.first + "'|" + std::to_string(key.second) + "|'" + stage + "'");
  }
  for (const auto& [model, name] : names) models.push_back("'" + model + "'|'" + name + "'");
  for (const auto& node : fleet.nodes()) {
    RC_ASSERT(ask(node->path(), "SELECT model_id, version, stage FROM versions ORDER BY 1, 2") ==
              versions);
    RC_ASSERT(ask(node->path(), "SELECT model_id, name FROM models ORDER BY 1") == models);
    const auto kept = ask(node->path(),
                          "SELECT v.model_id, v.version, t.to_stage, t.at FROM stage_transitions "
                          "AS t JOIN versions AS v ON v.id = t.version_id");
    RC_ASSERT(kept.size() == transitions.size());
    RC_ASSERT(std::set<std::string>(kept.begin(), kept.end()) == transitions);
  }
}

}  // namespace
}  // namespace syncline::collections::sqlite
