// Which storage a path lies on: nodes that share an NFS export hold one copy, not two.
//
// Signs, strongest first:
//   1. a token file `.syncline-domain` on the same mount, in the path's folder or above: the same
//      text means the same storage, whatever it is called and wherever it is mounted
//   2. a network mount: server and file-system id as the kernel's NFS client knows them
//      (/proc/fs/nfsfs/volumes), else the server's address and export from mountinfo
//   3. a local file system: host and device, one machine's disk
// The string is compared for equality and shown to people ("token:…", "nfs:10.0.0.5/fsid:1f3b:0",
// "nfs:10.0.0.5:/export", "local:host/0:42"); it is also the storage part of a failure domain.
//
// Pure functions are thread-safe; the two that touch the disk are too.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace syncline::transports::nfs {

inline constexpr const char* kDomainTokenFile = ".syncline-domain";

// One line of /proc/self/mountinfo (proc(5)).
struct Mount {
  std::string device;       // "0:42", major:minor
  std::string root;         // which folder of the file system is mounted: "/" or below
  std::string mount_point;  // absolute, unescaped
  std::string fs_type;      // "nfs4", "ext4" …
  std::string source;       // "server:/export", "/dev/sda1"
  std::string super_options;
  bool operator==(const Mount&) const = default;
};

// Lines that are not mountinfo are skipped; at most kMountsMax are kept.
inline constexpr std::size_t kMountsMax = 16384;
std::vector<Mount> parse_mountinfo(std::string_view text);

// The mount that `absolute_path` (no "..", no symbolic links) lies on: of those with the longest
// mount point the last, since later mounts cover earlier ones. Empty if there is none.
std::optional<Mount> mount_of(const std::vector<Mount>& mounts, std::string_view absolute_path);

bool is_nfs(const Mount& mount);
bool is_network_mount(const Mount& mount);  // NFS, SMB, 9p, Ceph, Lustre, GlusterFS, sshfs …

// The file-system id of the volume on `device` in the text of /proc/fs/nfsfs/volumes; empty if it
// is not there.
std::string nfs_fsid_of(std::string_view volumes, std::string_view device);

// What was found out about a path.
struct DomainSigns {
  std::optional<Mount> mount;
  std::string nfs_fsid;      // empty: not NFS, or not known
  std::string token;         // empty: no token file
  std::string token_folder;  // absolute; where the token file lies
  std::string host;          // NodeConfig::host
};
std::string storage_domain_from(const DomainSigns& signs);

// A place on a storage, in words that every node which mounts it understands.
struct StoragePlace {
  std::string domain;
  std::string inside;  // path within the domain, without a leading '/'; "" is its top
  bool operator==(const StoragePlace&) const = default;
};
StoragePlace storage_place_from(const DomainSigns& signs, std::string_view absolute_path);

// Where this machine sees `remote`, given places it knows by path; empty if it does not see it.
struct LocalView {
  StoragePlace place;
  std::string path;  // absolute
};
std::optional<std::string> local_path_of(const StoragePlace& remote,
                                         const std::vector<LocalView>& views);

// Reads this machine's signs. `path` need not exist yet: the nearest folder above it that does is
// looked at. kInvalid: relative path; kMissing: no mount found.
core::Result<DomainSigns> domain_signs_of(const std::string& path, const std::string& host);
core::Result<std::string> storage_domain_of(const std::string& path, const std::string& host);

// Puts a token file into `folder` unless one is there, and returns the token that counts: of two
// nodes that do this at once on one export, both get the same.
// kInvalid: the token is not 1..128 characters of [A-Za-z0-9._:-], or the file there holds none.
core::Result<std::string> ensure_domain_token(const std::string& folder, const std::string& token);

}  // namespace syncline::transports::nfs
