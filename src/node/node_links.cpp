// How a node's links are wired: control messages to the engine, blocks to the exchange, joins to
// the identity room.
#include <variant>

#include "identity/fleet.hpp"
#include "node/collect_shell.hpp"
#include "node/files_shell.hpp"
#include "node/log.hpp"
#include "node/node.hpp"
#include "node/records_shell.hpp"
#include "storage/store.hpp"
#include "transports/p2p/exchange.hpp"
#include "wire/packet.hpp"

namespace syncline::node {

net::LinkCallbacks Node::link_callbacks() {
  net::LinkCallbacks callbacks;
  callbacks.on_up = [this](const core::NodeId& peer, const core::Hello& hello,
                           const std::string& address) {
    exchange_->link_up(peer);
    post(engine::LinkUp{peer, hello, address});
    files_->linked(peer);
    if (collect_) collect_->linked(peer, true);
  };
  callbacks.on_down = [this](const core::NodeId& peer, const std::string& reason) {
    exchange_->link_down(peer);
    post(engine::LinkDown{peer, reason});
    if (collect_) collect_->linked(peer, false);
  };
  callbacks.on_message = [this](const core::NodeId& peer, wire::WireMessage message) {
    if (auto* control = std::get_if<core::Message>(&message)) {
      post(engine::Received{peer, std::move(*control)});
    } else if (const auto* seed = std::get_if<wire::SeedRequest>(&message)) {
      files_->seed(seed->root);
    } else {
      exchange_->on_message(peer, message);
    }
  };
  callbacks.on_dial_failed = [this](const std::string& address, const std::string& reason) {
    post(engine::DialFailed{address, reason});
  };
  const std::string state_dir = config_.node.state_dir;
  callbacks.is_invited = [this, state_dir](const core::Digest256& public_key) {
    return identity::is_invited(state_dir, public_key, clock_.wall().ms / 1000);
  };
  callbacks.on_join = [this, state_dir](const core::Digest256& public_key,
                                        const std::string& request) {
    const auto is_taken = [this](const core::NodeId& node) {
      return node == config_.node.id || loop_.engine().view().find(node) != nullptr;
    };
    return identity::answer_join(state_dir, public_key, request, clock_.wall().ms / 1000, is_taken);
  };
  callbacks.next_data = [this](const core::NodeId& peer) { return exchange_->next_data(peer); };
  return callbacks;
}

core::Status Node::start_links(std::uint64_t incarnation) {
  core::Hello hello;
  hello.fleet = config_.fleet;
  hello.incarnation = incarnation;
  hello.advertise = config_.node.peer_advertise;
  net::LinkLimits limits;
  limits.connect_timeout = core::milliseconds(config_.transport.p2p_connect_timeout_ms);
  SYNCLINE_ASSIGN(
      links_, net::Links::create(loop_.io(),
                                 {identity_.ca_pem, identity_.certificate_pem, identity_.key_pem},
                                 hello, config_.node.id, limits, link_callbacks()));
  transports::p2p::ExchangeLimits exchange_limits;
  exchange_limits.window_bytes = static_cast<std::uint64_t>(config_.transport.window_bytes);
  exchange_limits.window_total_bytes =
      exchange_limits.window_bytes * static_cast<std::uint64_t>(config_.transport.jobs_max);
  transports::p2p::ExchangePorts ports;
  ports.send = [this](const core::NodeId& peer, wire::WireMessage message) {
    return links_->send(peer, std::move(message));
  };
  ports.data_ready = [this](const core::NodeId& peer) { links_->data_ready(peer); };
  ports.blame = [](const core::NodeId& peer, const std::string& what) {
    log_warning(peer.text + " sent what it must not: " + what);
  };
  exchange_ = std::make_unique<transports::p2p::Exchange>(config_.node.id, clock_, exchange_limits,
                                                          std::move(ports), files_->opener());
  start_transports();
  return links_->listen(config_.node.peer_listen);
}

// Membership's datagrams, on the peer port. What does not open under the fleet key is not answered;
// what opens and does not parse came from another version of this program, and is dropped as well.
core::Status Node::start_datagrams() {
  std::vector<std::string> keys;
  for (const core::FleetKey& key : identity_.fleet_keys) keys.push_back(key.bytes);
  SYNCLINE_ASSIGN(datagrams_,
                  net::SealedUdp::create(
                      loop_.io(), keys, [this](const std::string& address, std::string_view text) {
                        auto packet = wire::decode_packet(text);
                        if (!packet.ok()) return;
                        post(engine::PacketReceived{address, std::move(packet).value()});
                      }));
  return datagrams_->listen(config_.node.peer_listen);
}

void Node::keep_keys(const engine::KeepKeys& action) {
  records_->with_store([this, action](storage::Store&) {  // a thread that may wait for the disk
    const core::Status saved =
        identity::save_fleet_keys(config_.node.state_dir, action.keys, action.sealing);
    if (!saved.ok()) {
      log_error("the fleet's new key was not kept: " + core::to_string(saved.error()));
      return;
    }
    loop_.post_task([this, action] {
      std::vector<std::string> keys{action.keys.at(action.sealing).bytes};
      for (std::size_t i = 0; i < action.keys.size(); ++i) {
        if (i != action.sealing) keys.push_back(action.keys[i].bytes);
      }
      const core::Status set = datagrams_->set_keys(keys);
      if (!set.ok()) log_error(core::to_string(set.error()));
      post(engine::KeysKept{action.keys});
    });
  });
}

}  // namespace syncline::node
