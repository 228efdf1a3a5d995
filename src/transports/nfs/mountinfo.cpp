#include <algorithm>
#include <array>
#include <cctype>

#include "transports/nfs/storage_domain.hpp"

namespace syncline::transports::nfs {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

// The kernel writes space, tab, newline and backslash as \040, \011, \012, \134.
std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
        is_octal(text[i + 3])) {
      const int code = (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
      out.push_back(static_cast<char>(code & 0xff));
      i += 3;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

// "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue"; between the
// mount options and the "-" stands any number of optional fields.
std::optional<Mount> parse_line(std::string_view line) {
  const auto fields = split(line, ' ');
  const auto dash = std::find(fields.begin(), fields.end(), "-");
  if (dash - fields.begin() < 6 || fields.end() - dash < 3) return std::nullopt;
  Mount mount;
  mount.device = std::string(fields[2]);
  mount.root = unescape(fields[3]);
  mount.mount_point = unescape(fields[4]);
  mount.fs_type = std::string(*(dash + 1));
  mount.source = unescape(*(dash + 2));
  if (fields.end() - dash > 3) mount.super_options = std::string(*(dash + 3));
  if (mount.mount_point.empty() || mount.mount_point[0] != '/') return std::nullopt;
  return mount;
}

bool is_at_or_below(std::string_view path, std::string_view folder) {
  if (folder == "/") return !path.empty() && path[0] == '/';
  return path.substr(0, folder.size()) == folder &&
         (path.size() == folder.size() || path[folder.size()] == '/');
}

// What follows `folder` in `path`, without slashes at either end. REQUIRES: is_at_or_below.
std::string below(std::string_view path, std::string_view folder) {
  path.remove_prefix(folder == "/" ? 0 : folder.size());
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  return std::string(path);
}

std::string joined(std::string a, const std::string& b) {
  while (!a.empty() && a.front() == '/') a.erase(0, 1);
  if (a.empty()) return b;
  return b.empty() ? a : a + '/' + b;
}

std::string option_value(std::string_view options, std::string_view name) {
  for (const auto option : split(options, ',')) {
    if (option.size() > name.size() && option.substr(0, name.size()) == name &&
        option[name.size()] == '=') {
      return std::string(option.substr(name.size() + 1));
    }
  }
  return {};
}

// The server's address rather than its name, which may differ from client to client.
std::string server_of(const Mount& mount) {
  const std::string address = option_value(mount.super_options, "addr");
  if (!address.empty()) return address;
  const std::size_t colon = mount.source.rfind(":/");
  return colon == std::string::npos ? mount.source : mount.source.substr(0, colon);
}

std::string export_of(const Mount& mount) {
  const std::size_t colon = mount.source.rfind(":/");
  return colon == std::string::npos ? std::string() : mount.source.substr(colon + 1);
}

}  // namespace

std::vector<Mount> parse_mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  for (const auto line : split(text, '\n')) {
    if (mounts.size() == kMountsMax) break;
    if (auto mount = parse_line(line)) mounts.push_back(std::move(*mount));
  }
  return mounts;
}

std::optional<Mount> mount_of(const std::vector<Mount>& mounts, std::string_view absolute_path) {
  const Mount* best = nullptr;
  for (const Mount& mount : mounts) {
    if (!is_at_or_below(absolute_path, mount.mount_point)) continue;
    if (!best || mount.mount_point.size() >= best->mount_point.size()) best = &mount;
  }
  return best ? std::optional<Mount>(*best) : std::nullopt;
}

bool is_nfs(const Mount& mount) {
  return mount.fs_type == "nfs" || mount.fs_type == "nfs4";
}

bool is_network_mount(const Mount& mount) {
  static constexpr std::array<std::string_view, 13> kTypes = {
      "nfs",    "nfs4", "cifs", "smb3",           "smbfs",      "9p",       "ceph",
      "lustre", "afs",  "gfs2", "fuse.glusterfs", "fuse.sshfs", "fuse.ceph"};
  return std::find(kTypes.begin(), kTypes.end(), mount.fs_type) != kTypes.end();
}

// "NV SERVER   PORT DEV          FSID                              FSC"
// "v4 0a000005  801 0:50         1f3b2c:0                          no"
std::string nfs_fsid_of(std::string_view volumes, std::string_view device) {
  for (const auto line : split(volumes, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() >= 5 && fields[3] == device) return std::string(fields[4]);
  }
  return {};
}

std::string storage_domain_from(const DomainSigns& signs) {
  if (!signs.token.empty()) return "token:" + signs.token;
  if (!signs.mount) return "local:" + signs.host;
  const Mount& mount = *signs.mount;
  if (is_nfs(mount)) {
    // fsid 0:0 is what a server without ids reports: no identity at all.
    const bool has_fsid = !signs.nfs_fsid.empty() && signs.nfs_fsid != "0:0";
    return "nfs:" + server_of(mount) +
           (has_fsid ? "/fsid:" + signs.nfs_fsid : ':' + export_of(mount));
  }
  if (is_network_mount(mount)) return mount.fs_type + ':' + mount.source;
  return "local:" + signs.host + '/' + mount.device;
}

StoragePlace storage_place_from(const DomainSigns& signs, std::string_view absolute_path) {
  StoragePlace place;
  place.domain = storage_domain_from(signs);
  if (!signs.token.empty()) {
    place.inside = below(absolute_path, signs.token_folder);
  } else if (signs.mount) {
    const Mount& mount = *signs.mount;
    const std::string rest = below(absolute_path, mount.mount_point);
    // Where the domain is a whole NFS file system (fsid), its exports are folders of it.
    const bool is_by_fsid = is_nfs(mount) && place.domain.find("/fsid:") != std::string::npos;
    const std::string top =
        is_by_fsid ? joined(export_of(mount), joined(mount.root, "")) : mount.root;
    place.inside = joined(top, rest);
  } else {
    place.inside = below(absolute_path, "/");
  }
  return place;
}

std::optional<std::string> local_path_of(const StoragePlace& remote,
                                         const std::vector<LocalView>& views) {
  for (const LocalView& view : views) {
    if (view.place.domain != remote.domain) continue;
    const std::string& top = view.place.inside;
    if (!top.empty() && !is_at_or_below(remote.inside, top)) continue;
    const std::string rest = below(remote.inside, top);
    return rest.empty() ? view.path : view.path + (view.path == "/" ? "" : "/") + rest;
  }
  return std::nullopt;
}

}  // namespace syncline::transports::nfs
