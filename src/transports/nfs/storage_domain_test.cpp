#include "transports/nfs/storage_domain.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace syncline::transports::nfs {
namespace {

constexpr const char* kMountinfo =
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n"
    "30 22 0:26 / /proc rw - proc proc rw\n"
    "60 22 0:50 / /mnt/nas rw,relatime shared:30 - nfs4 nas:/export/ml "
    "rw,vers=4.2,rsize=1048576,clientaddr=10.0.0.9,local_lock=none,addr=10.0.0.5\n"
    "61 22 0:51 /sub /srv/part rw master:7 propagate_from:2 - nfs4 10.0.0.5:/export/ml "
    "rw,vers=4.2,addr=10.0.0.5\n"
    "62 22 0:52 / /mnt/with\\040space rw - nfs filer:/vol/a rw,vers=3\n"
    "63 22 0:53 / /mnt/nas/deep rw - tmpfs tmpfs rw\n"
    "this is no mountinfo line\n"
    "64 22 0:54 / /home/u/remote rw - fuse.sshfs u@box:/data rw\n";

constexpr const char* kVolumes =
    "NV SERVER   PORT DEV          FSID                              FSC\n"
    "v4 0a000005  801 0:50         1f3b2c:0                          no\n"
    "v3 0a000006  801 0:52         0:0                               no\n";

DomainSigns signs_for(const std::string& path, const std::string& host = "h1") {
  DomainSigns signs;
  signs.mount = mount_of(parse_mountinfo(kMountinfo), path);
  signs.nfs_fsid = signs.mount ? nfs_fsid_of(kVolumes, signs.mount->device) : "";
  signs.host = host;
  return signs;
}

TEST(Mountinfo, reads_fields_around_any_number_of_optional_ones_and_unescapes_names) {
  const auto mounts = parse_mountinfo(kMountinfo);
  ASSERT_EQ(mounts.size(), 7u);
  EXPECT_EQ(mounts[3].root, "/sub");
  EXPECT_EQ(mounts[3].source, "10.0.0.5:/export/ml");
  EXPECT_EQ(mounts[4].mount_point, "/mnt/with space");
}

TEST(Mountinfo, the_deepest_mount_holds_the_path_and_names_are_whole_folders) {
  const auto mounts = parse_mountinfo(kMountinfo);
  EXPECT_EQ(mount_of(mounts, "/mnt/nas/x")->fs_type, "nfs4");
  EXPECT_EQ(mount_of(mounts, "/mnt/nas")->fs_type, "nfs4");
  EXPECT_EQ(mount_of(mounts, "/mnt/nas/deep/x")->fs_type, "tmpfs");
  EXPECT_EQ(mount_of(mounts, "/mnt/nas2/x")->fs_type, "ext4");
  EXPECT_FALSE(mount_of({}, "/x").has_value());
}

TEST(Mountinfo, a_later_mount_on_the_same_point_covers_the_earlier) {
  const auto mounts = parse_mountinfo(
      "1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 0:9 / /d rw - tmpfs t rw\n3 1 0:10 / /d rw - nfs s:/e "
      "rw\n");
  EXPECT_EQ(mount_of(mounts, "/d/x")->fs_type, "nfs");
}

RC_GTEST_PROP(Mountinfo, no_text_breaks_the_parser, (const std::string& text)) {
  for (const Mount& mount : parse_mountinfo(text)) RC_ASSERT(mount.mount_point[0] == '/');
  nfs_fsid_of(text, text);
}

TEST(StorageDomain, one_export_is_one_domain_under_any_mount_point_and_server_name) {
  DomainSigns by_name = signs_for("/mnt/nas/models");
  DomainSigns by_address = signs_for("/srv/part/x", "h2");
  by_name.nfs_fsid.clear();
  EXPECT_EQ(storage_domain_from(by_name), "nfs:10.0.0.5:/export/ml");
  EXPECT_EQ(storage_domain_from(by_name), storage_domain_from(by_address));
}

TEST(StorageDomain, the_file_system_id_of_the_server_unites_exports_of_one_disk) {
  EXPECT_EQ(storage_domain_from(signs_for("/mnt/nas/models")), "nfs:10.0.0.5/fsid:1f3b2c:0");
}

TEST(StorageDomain, a_server_without_file_system_ids_is_known_by_its_export) {
  EXPECT_EQ(storage_domain_from(signs_for("/mnt/with space/x")), "nfs:filer:/vol/a");
}

TEST(StorageDomain, local_disks_of_two_machines_differ_though_their_devices_are_called_alike) {
  EXPECT_EQ(storage_domain_from(signs_for("/data", "h1")), "local:h1/8:1");
  EXPECT_NE(storage_domain_from(signs_for("/data", "h1")),
            storage_domain_from(signs_for("/data", "h2")));
}

TEST(StorageDomain, other_network_mounts_are_known_by_their_source) {
  EXPECT_EQ(storage_domain_from(signs_for("/home/u/remote/x")), "fuse.sshfs:u@box:/data");
}

TEST(StorageDomain, a_token_outranks_every_name) {
  DomainSigns a = signs_for("/mnt/nas/models");
  DomainSigns b = signs_for("/data", "the-nfs-server-itself");
  a.token = b.token = "cluster-7";
  EXPECT_EQ(storage_domain_from(a), "token:cluster-7");
  EXPECT_EQ(storage_domain_from(a), storage_domain_from(b));
}

TEST(StorageDomain, a_file_on_a_shared_export_is_found_under_the_local_mount_point) {
  DomainSigns here = signs_for("/mnt/nas");
  here.nfs_fsid.clear();
  const StoragePlace remote =
      storage_place_from(signs_for("/srv/part/models/a.pth"), "/srv/part/models/a.pth");
  EXPECT_EQ(remote.inside, "sub/models/a.pth");
  const std::vector<LocalView> views = {{storage_place_from(here, "/mnt/nas"), "/mnt/nas"}};
  EXPECT_EQ(local_path_of(remote, views), "/mnt/nas/sub/models/a.pth");
  EXPECT_EQ(local_path_of({"nfs:other:/e", "sub"}, views), std::nullopt);
}

TEST(StorageDomain, what_lies_outside_the_mounted_part_is_not_seen) {
  const DomainSigns part = signs_for("/srv/part");
  const std::vector<LocalView> views = {{storage_place_from(part, "/srv/part"), "/srv/part"}};
  EXPECT_EQ(local_path_of({"nfs:10.0.0.5:/export/ml", "subway/x"}, views), std::nullopt);
  EXPECT_EQ(local_path_of({"nfs:10.0.0.5:/export/ml", "sub/x"}, views), "/srv/part/x");
}

class TokenFile : public testing::Test {
 protected:
  TokenFile() {
    std::string name = (std::filesystem::temp_directory_path() / "domain-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~TokenFile() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
};

TEST_F(TokenFile, is_found_from_folders_below_it_even_those_that_do_not_exist_yet) {
  ASSERT_TRUE(ensure_domain_token(folder_, "lab-1").ok());
  EXPECT_EQ(storage_domain_of(folder_ + "/not/there/yet", "h").value(), "token:lab-1");
  EXPECT_EQ(storage_domain_of(folder_, "h").value(), "token:lab-1");
}

TEST_F(TokenFile, a_folder_without_one_is_on_its_machines_disk) {
  const std::string domain = storage_domain_of(folder_, "h9").value();
  EXPECT_EQ(domain.rfind("local:h9/", 0), 0u) << domain;
}

TEST_F(TokenFile, of_two_nodes_that_write_at_once_both_get_the_same) {
  std::string seen[4];
  std::vector<std::thread> nodes;
  for (int i = 0; i < 4; ++i) {
    nodes.emplace_back(
        [&, i] { seen[i] = ensure_domain_token(folder_, "node-" + std::to_string(i)).value(); });
  }
  for (auto& node : nodes) node.join();
  for (const auto& token : seen) EXPECT_EQ(token, seen[0]);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_)) ++files;
  EXPECT_EQ(files, 1u);
}

TEST_F(TokenFile, nonsense_is_refused_and_never_taken_for_a_token) {
  for (const std::string& bad :
       {std::string(), std::string("a b"), std::string("../x"), std::string(200, 'x')}) {
    EXPECT_FALSE(ensure_domain_token(folder_, bad).ok()) << bad;
  }
  std::ofstream(folder_ + '/' + kDomainTokenFile) << "two words\n";
  EXPECT_EQ(storage_domain_of(folder_, "h").value().rfind("local:", 0), 0u);
  EXPECT_EQ(ensure_domain_token(folder_, "x").error().kind, core::ErrorKind::kInvalid);
}

TEST(StorageDomain, a_relative_path_is_refused) {
  EXPECT_EQ(storage_domain_of("data", "h").error().kind, core::ErrorKind::kInvalid);
}

}  // namespace
}  // namespace syncline::transports::nfs
