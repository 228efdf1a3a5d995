// One file described for other programs: a metalink for aria2c, a .torrent for BitTorrent clients.
#include <optional>

#include "core/text.hpp"
#include "engine/engine.hpp"
#include "env/files.hpp"
#include "node/files_shell.hpp"
#include "node/node.hpp"
#include "transports/aria2/metalink.hpp"
#include "transports/swarm/torrent.hpp"

namespace syncline::node {

using core::Error;
using core::ErrorKind;

namespace {

constexpr std::size_t kPemBytesMax = 64u << 10;

struct Described {
  core::ObjectVersion version;
  std::vector<std::string> holders;
  std::vector<std::string> urls;  // of those that serve objects over HTTPS
};

// What the catalog says of the version that wins; nothing where nobody has the file.
std::optional<Described> describe(const engine::Engine& engine, const engine::ObjectId& object) {
  const core::ObjectVersion* winner = engine.view().winner(object);
  if (winner == nullptr || winner->is_deleted) {
    return std::nullopt;
  }
  Described out;
  out.version = *winner;
  for (const auto& [node, version] : engine.view().holders(object)) {
    const catalog::NodeSelf* about = engine.view().find(node);
    if (version.root != winner->root || about == nullptr) continue;
    out.holders.push_back(node.text);
    const std::string& at = about->advertise;
    if (about->objects_port == 0 || at.empty()) continue;
    out.urls.push_back("https://" + at.substr(0, at.find_last_of(':')) + ":" +
                       std::to_string(about->objects_port) + "/objects/" +
                       core::to_hex(winner->root));
  }
  return out;
}

}  // namespace

core::Result<std::string> Node::export_file(const std::string& form,
                                            const core::CollectionName& collection,
                                            const std::string& path) {
  const engine::ObjectId object{collection, path};
  const auto found =
      loop_.call([&object](engine::Engine& engine) { return describe(engine, object); });
  if (!found) return Error{ErrorKind::kMissing, "the fleet knows no such file", path};
  const core::Root& root = found->version.root;
  auto opened = files_->open_for_http(root);
  if (!opened.ok()) {
    return Error{
        ErrorKind::kMissing,
        "this node does not hold it whole; ask one that does: " + core::say_list(found->holders),
        path};
  }
  if (form == "torrent") {
    if (!swarm_) {
      return Error{ErrorKind::kInvalid,
                   "this node takes no part in swarms: set transport.swarm_listen", path};
    }
    SYNCLINE_ASSIGN(const std::string authority,
                    env::read_file(config_.node.state_dir + "/identity/ca.pem", kPemBytesMax));
    SYNCLINE_ASSIGN(const auto layer, files_->piece_layer(root));
    files_->seed(root);
    return transports::swarm::torrent_file({root, found->version.size_bytes, authority}, layer);
  }
  if (found->urls.empty()) {
    return Error{ErrorKind::kInvalid,
                 "no holder serves objects over HTTPS: give one a tls: listener "
                 "(node.http_listen)",
                 path};
  }
  return transports::aria2::metalink({path, opened->size_bytes, found->urls, opened->read_at});
}

}  // namespace syncline::node
