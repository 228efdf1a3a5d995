#include "node/self.hpp"

#include <cstdlib>

#include "env/own_addresses.hpp"
#include "transports/nfs/storage_domain.hpp"

namespace syncline::node {

namespace {

struct ProviderSign {
  const char* variable;  // set by the provider inside its instances
  const char* provider;
};
// vast.ai docs, "Instance environment variables"; docs.runpod.io, "Environment variables".
constexpr ProviderSign kProviderSigns[] = {
    {"VAST_CONTAINERLABEL", "vast"},
    {"RUNPOD_POD_ID", "runpod"},
};

const ProviderSign* find_provider() {
  for (const ProviderSign& sign : kProviderSigns) {
    const char* value = std::getenv(sign.variable);
    if (value != nullptr && *value != '\0') return &sign;
  }
  return nullptr;
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

}  // namespace

core::Result<std::vector<std::string>> complete(core::Config& config, const std::string& fleet) {
  std::vector<std::string> notes;
  core::NodeConfig& node = config.node;
  config.fleet = fleet;
  const ProviderSign* provider = find_provider();
  if (node.provider.empty() && provider != nullptr) {
    node.provider = provider->provider;
    notes.push_back("provider is " + node.provider + " (environment variable " +
                    provider->variable + ")");
  }
  if (node.ephemeral == core::Tristate::kAuto) {
    node.ephemeral = provider != nullptr ? core::Tristate::kTrue : core::Tristate::kFalse;
    if (provider != nullptr) {
      notes.push_back(std::string("this node may vanish: ") + provider->variable +
                      " is set (node.ephemeral = false overrules it)");
    }
  }
  if (node.storage_domain.empty()) {
    SYNCLINE_ASSIGN(node.storage_domain, storage_of(config));
  }
  notes.push_back("failure domain: host " + node.host + ", storage " + node.storage_domain);
  if (node.peer_advertise.empty()) {
    const std::vector<std::string> own = env::callable_addresses(node);
    if (!own.empty()) node.peer_advertise = own.front();
  }
  return notes;
}

}  // namespace syncline::node
