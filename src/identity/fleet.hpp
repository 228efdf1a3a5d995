// Making a fleet, inviting to it, joining it, and loading who this node is.
//
// Files below <state>/identity/ (0700): ca.pem, node.pem, node-key.pem, fleet-key, fleet-keys
// (once the key was changed: "epoch hex" lines, the one in use first), fleet.name, and
// on the node that made the fleet ca-key.pem; keys are 0600. Invites are <state>/identity/invites/
// <hash of public key>: roles and expiry, renamed to *.used the moment they are.
// Threads: functions may be called from any thread; invites are taken by one caller only, because
// the rename decides.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "identity/token.hpp"
#include "identity/types.hpp"

namespace syncline::identity {

// `hosts`: see make_request. kConflict if the state folder has an identity already: nothing is
// changed.
core::Result<Identity> init_fleet(const std::string& state_dir, const std::string& fleet,
                                  const core::NodeId& node,
                                  const std::vector<std::string>& hosts = {});

// kMissing: no identity, `syncline init` or `join` makes one. kInvalid: a key that others can read.
core::Result<Identity> load_identity(const std::string& state_dir);

// Puts the fleet's keys on the disk, durably; keys[sealing] is what a joiner is given.
core::Status save_fleet_keys(const std::string& state_dir, const std::vector<core::FleetKey>& keys,
                             std::size_t sealing);

struct InviteOptions {
  std::vector<std::string> roles;
  std::vector<std::string> addresses;  // of this node's peer port
  std::int64_t now_s = 0;
  std::int64_t valid_for_s = 3600;
};
// The token's text. kMissing: the fleet's key is on another node.
core::Result<std::string> create_invite(const std::string& state_dir, const InviteOptions& options);

// ── the inviting node's side of a join ──
// Is there an invite for this public key that was not used and has not expired?
bool is_invited(const std::string& state_dir, const core::Digest256& public_key,
                std::int64_t now_s);
// Takes the invite (for ever, whatever happens next) and answers the joiner.
// `is_taken` says whether a node id belongs to somebody already.
core::Result<std::string> answer_join(const std::string& state_dir,
                                      const core::Digest256& public_key, const std::string& request,
                                      std::int64_t now_s,
                                      const std::function<bool(const core::NodeId&)>& is_taken);

// ── the joiner's side ──
// Carries a request to an address over TLS, with this certificate, and accepts only a server whose
// CA has the fingerprint.
using JoinCall = std::function<core::Result<std::string>(
    const std::string& address, const KeyPair& certificate, const core::Digest256& ca_fingerprint,
    const std::string& request)>;

struct Joined {
  Identity identity;
  std::vector<std::string> roles;      // that the invite gave
  std::vector<std::string> addresses;  // to begin with
};
core::Result<Joined> join_fleet(const std::string& state_dir, const std::string& token_text,
                                const core::NodeId& node, std::int64_t now_s, const JoinCall& call,
                                const std::vector<std::string>& hosts = {});

}  // namespace syncline::identity
