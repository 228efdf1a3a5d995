// Identities as values. PEM texts hold what their names say; key texts are secret.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/messages.hpp"

namespace syncline::identity {

struct Identity {
  core::NodeId node;  // common name of the certificate
  std::string fleet;  // organisation of the certificate
  std::string ca_pem;
  std::string certificate_pem;
  std::string key_pem;
  std::string fleet_key;      // 32 bytes: seals membership datagrams
  bool is_authority = false;  // the CA's key is here too: this node can invite
  // All keys of the fleet that this node knows, `fleet_key` first; of a loaded identity only.
  std::vector<core::FleetKey> fleet_keys = {};
};

struct KeyPair {
  std::string certificate_pem;
  std::string key_pem;
};

}  // namespace syncline::identity
