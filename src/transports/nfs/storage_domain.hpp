// Which storage a path lies on: nodes that share an NFS export hold one copy, not two.
//
// Three signs, strongest first:
//   1. a token file `.syncline-domain` at the top of the mount (or above the path on it): the same
//      text means the same storage, whatever it is called from where it is mounted
//   2. a network mount: "nfs:server:/export", with names of one server unified by the token only
//   3. a local file system: "local:<host>:<device>", one machine's disk
// The string is compared for equality and shown to people; it is also the storage part of a
// failure domain.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace syncline::transports::nfs {

inline constexpr const char* kDomainTokenFile = ".syncline-domain";

// One line of /proc/self/mountinfo (proc(5)).
struct Mount {
  int id = 0;
  std::string device;       // "0:42", major:minor
  std::string root;         // of the mount inside its file system
  std::string mount_point;  // unescaped
  std::string fs_type;      // "nfs4", "ext4" …
  std::string source;       // "server:/export", "/dev/sda1"
  std::string super_options;
  bool operator==(const Mount&) const = default;
};

// Pure. Lines that are not mountinfo are skipped (the kernel's own format only grows at its end).
std::vector<Mount> parse_mountinfo(std::string_view text);

// The mount that `absolute_path` (no "..", no symbolic links) lies on: the last one of those with
// the longest mount point, since later mounts cover earlier ones. Empty if there is none.
std::optional<Mount> mount_of(const std::vector<Mount>& mounts, std::string_view absolute_path);

bool is_network_mount(const Mount& mount);  // nfs, nfs4, cifs, smb3, 9p, ceph, lustre, fuse.sshfs …

// Pure: the domain of a path from what was found out about it.
struct DomainSigns {
  std::optional<Mount> mount;
  std::string token;  // content of the token file, trimmed; empty if there is none
  std::string host;   // NodeConfig::host
};
std::string storage_domain_from(const DomainSigns& signs);

// Reads mountinfo and the token file of this machine. `path` need not exist yet: the nearest folder
// above it that does is taken. kInvalid: relative path; kMissing: no mount found.
core::Result<std::string> storage_domain_of(const std::string& path, const std::string& host);

// Writes a token file with `token` at `folder` if there is none, and returns the one that is there.
// The token is 1..128 characters of [A-Za-z0-9._:-].
core::Result<std::string> ensure_domain_token(const std::string& folder, const std::string& token);

}  // namespace syncline::transports::nfs
