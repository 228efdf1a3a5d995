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
  std::size_t count(Fate fate) const;
};

// kInvalid: no `hosts` section, or a host with a name that no node can have.
core::Result<Import> import_hosts(const Tree& document);

// The report: every leaf, grouped by its fate.
std::string report_of(const Import& import);

}  // namespace syncline::cli
