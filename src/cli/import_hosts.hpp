// The older system's distributed_hosts.yaml, turned into one configuration per host.
//
// Its sections: sync_routing, auto_sync, elo_sync, p2p_voters, hosts. Each leaf of the file is
// translated or named as not applicable with the reason, or, if it is not known here, as not
// understood. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/import_tree.hpp"
#include "core/config.hpp"

namespace syncline::cli {

struct ImportedHost {
  std::string name;
  core::Config config;  // relative paths: the file belongs into the host's old project folder
  std::string folder;   // that folder; empty = not told
};

struct Import {
  std::vector<ImportedHost> hosts;  // those that are in use, in the order of the file
  std::vector<Note> notes;
  std::vector<std::string> unpolled;  // "gpu-3: it has no ssh_host": with ImportOptions::poll_by
  std::size_t count(Fate fate) const;
};

struct ImportOptions {
  // This host runs the only daemon and polls the others over SSH, as the older collecting service
  // did; only its configuration is made. Empty: every host gets one.
  std::string poll_by;
  std::string home;  // of whoever runs this: "~/" of key files
};

// kInvalid: no `hosts` section, a host with a name that no node can have, or no host `poll_by`.
core::Result<Import> import_hosts(const Tree& document, const ImportOptions& options = {});

// The report: every leaf, grouped by its fate.
std::string report_of(const Import& import);

}  // namespace syncline::cli
