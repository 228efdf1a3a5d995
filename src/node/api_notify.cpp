// POST /v1/notify: what programs tell the daemon, and what follows from it.
#include <algorithm>

#include "core/nearest.hpp"
#include "env/entropy.hpp"
#include "node/api.hpp"

namespace syncline::node {

using core::Error;
using core::ErrorKind;

namespace {

enum class Follows {
  kLookAtGames,   // read the sources of all sqlite collections now
  kSpreadModels,  // look at the files collections now
  kLookEverywhere,
};

struct KnownEvent {
  const char* name;  // as told
  const char* type;  // as emitted
  Follows follows;
  const char* message;
};

// Events of the older system's bus (docs/api.md, "Events").
constexpr KnownEvent kKnownEvents[] = {
    {"game-completed", "game_completed", Follows::kLookAtGames, "a game was completed"},
    {"model-promoted", "model_promoted", Follows::kSpreadModels, "a model was promoted"},
    {"training-started", "training_started", Follows::kLookAtGames, "training started"},
    {"training-completed", "training_completed", Follows::kSpreadModels, "training completed"},
    {"node-recovered", "node_recovered", Follows::kLookEverywhere, "a node recovered"},
    {"orphans-detected", "orphan_games_detected", Follows::kLookEverywhere,
     "orphan games were detected"},
};

}  // namespace

core::Status NodeApi::notify(const std::string& event,
                             const std::map<std::string, std::string>& details) {
  const auto* known = std::find_if(std::begin(kKnownEvents), std::end(kKnownEvents),
                                   [&](const KnownEvent& one) { return one.name == event; });
  if (known == std::end(kKnownEvents)) {
    std::vector<std::string> names;
    for (const KnownEvent& one : kKnownEvents) names.emplace_back(one.name);
    return Error{ErrorKind::kInvalid,
                 "there is no event '" + event + "'" + core::did_you_mean(event, names), "event"};
  }
  std::vector<core::CollectionName> affected;
  const auto named = details.find("collection");
  for (const core::CollectionConfig& collection : config_.collections) {
    const bool is_sqlite = collection.kind == core::Kind::kSqlite;
    const bool is_meant = named != details.end() ? named->second == collection.name.text
                          : known->follows == Follows::kLookEverywhere
                              ? true
                              : is_sqlite == (known->follows == Follows::kLookAtGames);
    if (is_meant) affected.push_back(collection.name);
  }
  if (named != details.end() && affected.empty()) {
    return Error{ErrorKind::kInvalid, "there is no collection '" + named->second + "'",
                 "collection"};
  }
  emit(known->type, named == details.end() ? "" : named->second, known->message, details);
  for (const core::CollectionName& collection : affected) {
    loop_.post(engine::SourceChanged{collection, true});
  }
  const bool is_game = known->follows == Follows::kLookAtGames;
  if (!config_.durability.write_through || !is_game) return {};
  return wait_until_durable({affected.begin(), affected.end()});
}

// Write-through: the producer goes on only when what it has just finished survives this machine.
core::Status NodeApi::wait_until_durable(std::set<core::CollectionName> collections) {
  const core::Duration timeout = core::seconds(config_.durability.write_through_timeout_s);
  SYNCLINE_ASSIGN(const facade::FlushReport report, flush(0, timeout, std::move(collections)));
  if (report.is_durable) return {};
  std::string what;
  for (const facade::CollectionStatus& pending : report.pending) {
    what += (what.empty() ? "" : "; ") + pending.name + ": " + pending.why;
  }
  return Error{ErrorKind::kCancelled,
               "not durable within durability.write_through_timeout_s (" +
                   std::to_string(config_.durability.write_through_timeout_s) + " s): " + what +
                   "; it is delivered as soon as it can be, see `syncline status`",
               config_.node.id.text};
}

core::Status NodeApi::pause(const std::string& collection, bool is_paused) {
  std::vector<std::string> names;
  for (const core::CollectionConfig& one : config_.collections) {
    if (one.name.text == collection && one.kind != core::Kind::kFiles) {
      return Error{ErrorKind::kInvalid,
                   "records are never paused, only fetches of files: they are what would be lost",
                   collection};
    }
    names.push_back(one.name.text);
  }
  if (!collection.empty() && std::find(names.begin(), names.end(), collection) == names.end()) {
    return Error{
        ErrorKind::kMissing,
        "there is no collection '" + collection + "'" + core::did_you_mean(collection, names),
        collection};
  }
  loop_.post(engine::TransfersPaused{core::CollectionName(collection), is_paused});
  emit(is_paused ? "transfers_paused" : "transfers_resumed", collection,
       is_paused ? "fetches of files wait" : "fetches of files go on", {});
  return {};
}

core::Status NodeApi::rotate_key() {
  const bool is_rotating =
      loop_.call([](engine::Engine& engine) { return engine.key_ring().is_rotating(); });
  if (is_rotating) {
    return Error{ErrorKind::kConflict,
                 "the last new key is not in use yet: `syncline status` says whom it waits for",
                 ""};
  }
  core::FleetKey key;
  key.epoch = static_cast<std::uint64_t>(std::max<std::int64_t>(clock_.wall().ms, 1));
  key.bytes = env::random_bytes(core::kFleetKeyBytes);
  loop_.post(engine::KeyMade{std::move(key)});
  emit("fleet_key_made", "", "a new key of the fleet was made here; it is in use once all have it",
       {});
  return {};
}

}  // namespace syncline::node
