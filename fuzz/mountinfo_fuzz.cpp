// Whatever the text, the mounts found are absolute and the nearest one is found without a crash.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "transports/nfs/storage_domain.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace syncline::transports::nfs;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto mounts = parse_mountinfo(text);
  for (const Mount& mount : mounts) {
    if (mount.mount_point.empty() || mount.mount_point[0] != '/') std::abort();
    const auto found = mount_of(mounts, mount.mount_point);
    if (!found || found->mount_point != mount.mount_point) std::abort();
    DomainSigns signs;
    signs.mount = mount;
    signs.nfs_fsid = nfs_fsid_of(text, mount.device);
    if (storage_place_from(signs, mount.mount_point).domain.empty()) std::abort();
  }
  return 0;
}
