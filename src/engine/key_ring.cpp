#include "engine/key_ring.hpp"

#include <algorithm>
#include <sstream>

#include "core/sha256.hpp"

namespace syncline::engine {

namespace {
constexpr core::Duration kSendAgain = core::seconds(5);

// Two keys that were made at once on two nodes are in one order everywhere.
bool is_newer(const core::FleetKey& a, const core::FleetKey& b) {
  return a.epoch != b.epoch ? a.epoch > b.epoch : a.bytes > b.bytes;
}
}  // namespace

std::string id_of(const core::FleetKey& key) {
  return core::to_hex(core::sha256("syncline fleet key " + key.bytes)).substr(0, 16);
}

std::set<std::string> parse_key_ids(const std::string& fact) {
  std::istringstream in(fact);
  std::set<std::string> ids;
  for (std::string id; ids.size() < 8 && in >> id;) ids.insert(id);
  return ids;
}

KeyRing::KeyRing(std::vector<core::FleetKey> keys) : keys_(std::move(keys)) {
  if (keys_.empty()) return;
  const core::FleetKey in_use = keys_.front();
  std::sort(keys_.begin(), keys_.end(), is_newer);
  sealing_ =
      static_cast<std::size_t>(std::find(keys_.begin(), keys_.end(), in_use) - keys_.begin());
  for (const core::FleetKey& key : keys_) kept_.insert(id_of(key));
}

void KeyRing::keep(Actions& out) {
  KeepKeys action;
  action.keys = keys_;
  action.sealing = sealing_;
  out.push_back(std::move(action));
}

void KeyRing::made(core::FleetKey key, Actions& out) {
  if (keys_.empty()) return;
  key.epoch = std::max(key.epoch, keys_.front().epoch + 1);
  received(key, out);
}

void KeyRing::received(const core::FleetKey& key, Actions& out) {
  if (keys_.empty()) return;
  if (key == keys_.front() && kept_.count(id_of(key)) == 0) keep(out);  // the disk did not take it
  if (!is_newer(key, keys_.front())) return;
  // What seals here stays, and the newest before this one: others may seal with it already.
  std::vector<core::FleetKey> keys{key, keys_.front()};
  if (sealing_ != 0) keys.push_back(keys_[sealing_]);
  keys_ = std::move(keys);
  sealing_ = keys_.size() - 1;
  sent_at_.clear();
  keep(out);
}

void KeyRing::kept(const KeysKept& event) {
  kept_.clear();
  for (const core::FleetKey& key : event.keys) kept_.insert(id_of(key));
}

std::string KeyRing::fact() const {
  std::string out;
  for (const std::string& id : kept_) out += (out.empty() ? "" : " ") + id;
  return out;
}

void KeyRing::plan(const std::map<core::NodeId, std::set<std::string>>& told,
                   const std::set<core::NodeId>& live, const std::set<core::NodeId>& linked,
                   core::Instant now, Actions& out) {
  missing_.clear();
  look_at_ = std::nullopt;
  if (keys_.empty()) return;
  const std::string newest = id_of(keys_.front());
  const auto has_it = [&](const core::NodeId& node) {
    const auto at = told.find(node);
    return at != told.end() && at->second.count(newest) > 0;
  };
  for (const core::NodeId& node : live) {
    if (!has_it(node)) missing_.insert(node);
  }
  const bool is_on_disk = kept_.count(newest) > 0;
  if (is_on_disk && keys_.front().epoch > 0) {
    for (const core::NodeId& node : linked) {
      if (has_it(node)) continue;
      const auto [sent, is_first] = sent_at_.try_emplace(node, now);
      if (!is_first && now - sent->second < kSendAgain) {
        look_at_ = now + kSendAgain;
        continue;
      }
      sent->second = now;
      look_at_ = now + kSendAgain;
      out.push_back(Send{node, keys_.front()});
    }
  }
  if (sealing_ == 0 || !is_on_disk || !missing_.empty()) return;
  sealing_ = 0;
  keep(out);
  Emit emit;
  emit.event.type = "fleet_key_in_use";
  emit.event.message = "every live node has the fleet's new key: this one seals with it now";
  emit.event.details = {{"key", newest}};
  out.push_back(std::move(emit));
}

}  // namespace syncline::engine
