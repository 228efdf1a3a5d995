// One host of distributed_hosts.yaml. Internal to the import.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/import_policy.hpp"
#include "cli/import_tree.hpp"

namespace syncline::cli {

struct OldHost {
  std::string name;
  bool is_in_use = true;
  std::string why_not;  // its status, if it is not in use
  std::vector<std::string> roles;
  std::string provider;
  std::string zone;
  std::string address;  // where peers reach it; empty behind NAT
  std::string folder;   // of the old project there
  std::string storage_domain;
  std::map<std::string, std::string> roots;  // collection -> folder
  std::optional<bool> is_ephemeral;
  std::optional<double> bandwidth_mbps;
  // How it was logged in at; for a host that is polled.
  std::string ssh_host;
  std::string ssh_user;
  std::string ssh_key;
  int ssh_port = 22;
  bool is_refusing_data = false;  // skip_sync_receive
  bool uses_external_storage = false;
};

OldHost read_host(const std::string& name, const Tree& map, Ledger& ledger);

}  // namespace syncline::cli
