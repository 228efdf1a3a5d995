#include "node/self.hpp"

#include <stdlib.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <thread>

#include "engine/line.hpp"
#include "env/files.hpp"
#include "env/own_addresses.hpp"
#include "http/listen_address.hpp"
#include "net/tls.hpp"
#include "spot/signs.hpp"
#include "transports/nfs/storage_domain.hpp"

namespace syncline::node {

namespace {

// What lies about on the machine itself; its metadata service is asked by the watcher later.
std::optional<spot::Found> find_provider() {
  if (auto found = spot::found_in_environment(spot::process_environment())) return found;
  const auto vendor = env::read_file(spot::kVendorFile, 4096);
  return vendor.ok() ? spot::found_in_vendor(*vendor) : std::nullopt;
}

// The storage whose loss would lose this node's copies. The journal's, unless a collection lies on
// a network mount: that one is shared with others, and counting too few copies is the safe side.
core::Result<std::string> storage_of(const core::Config& config) {
  std::vector<std::string> folders;
  for (const core::CollectionConfig& collection : config.collections) {
    if (!collection.root.empty()) folders.push_back(collection.root);
  }
  folders.push_back(config.node.state_dir);
  for (const std::string& folder : folders) {
    SYNCLINE_ASSIGN(const transports::nfs::DomainSigns signs,
                    transports::nfs::domain_signs_of(folder, config.node.host));
    const bool is_shared = signs.mount && transports::nfs::is_network_mount(*signs.mount);
    if (is_shared || !signs.token.empty() || folder == config.node.state_dir) {
      return transports::nfs::storage_domain_from(signs);
    }
  }
  return std::string();
}

// Where other nodes get objects over HTTPS: the first tls: listener that they can reach.
int objects_port_of(const core::NodeConfig& node) {
  const bool is_here_only =
      node.peer_advertise.rfind("127.", 0) == 0 || node.peer_advertise.rfind("[::1]", 0) == 0;
  for (const std::string& entry : node.http_listen) {
    const auto address = http::parse_listen_address(entry);
    if (!address.ok() || address->kind != http::ListenerKind::kTls) continue;
    if (!http::is_loopback(address->host) || is_here_only) return address->port;
  }
  return 0;
}

}  // namespace

core::Result<std::vector<std::string>> complete(core::Config& config, const std::string& fleet) {
  SYNCLINE_TRY(engine::schedules_of(config));
  std::vector<std::string> notes;
  core::NodeConfig& node = config.node;
  config.fleet = fleet;
  const auto found = find_provider();
  if (node.provider.empty() && found) {
    node.provider = found->provider;
    notes.push_back("provider is " + node.provider + " (" + found->sign + ")");
  }
  if (node.ephemeral == core::Tristate::kAuto && found && found->is_spot) {
    node.ephemeral = core::Tristate::kTrue;
    notes.push_back("this node may vanish: " + found->sign +
                    " (node.ephemeral = false overrules it)");
  }
  if (node.storage_domain.empty()) {
    SYNCLINE_ASSIGN(node.storage_domain, storage_of(config));
  }
  notes.push_back("failure domain: host " + node.host + ", storage " + node.storage_domain);
  if (node.peer_advertise.empty()) {
    const std::vector<std::string> own = env::callable_addresses(node);
    if (!own.empty()) node.peer_advertise = own.front();
  }
  node.objects_port = objects_port_of(node);
  if (!config.transport.swarm_listen.empty()) {
    SYNCLINE_TRY(net::parse_host_port(config.transport.swarm_listen));
  }
  return notes;
}

std::uint32_t load_permille() {
  double average = 0;
  if (::getloadavg(&average, 1) != 1) return 0;
  const double processors = std::max(1u, std::thread::hardware_concurrency());
  return static_cast<std::uint32_t>(1000 * average / processors);
}

int utc_offset_minutes() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  return static_cast<int>(local.tm_gmtoff / 60);
}

}  // namespace syncline::node
