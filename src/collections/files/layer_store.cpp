#include "collections/files/layer_store.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "collections/files/content_hash.hpp"

namespace syncline::collections::files {
namespace {

constexpr std::size_t kDigestBytes = 32;
// Shorter ones (objects of up to 1 MiB) are made again faster than they are stored.
constexpr std::size_t kStoredPiecesMin = 5;

std::string folder_name() {
  return std::string(kOwnFolder) + "/layers";
}
std::string path_of(const core::Root& root) {
  return folder_name() + '/' + core::to_hex(root);
}

}  // namespace

void LayerStore::save(const core::Root& root, const std::vector<core::Digest256>& layer) const {
  if (layer.size() < kStoredPiecesMin) return;
  const auto folder = root_.make_folder(folder_name());
  if (!folder.ok()) return;
  const std::string name = core::to_hex(root);
  const std::string fresh = name + ".tmp";
  OwnedFd file(::openat(folder->get(), fresh.c_str(),
                        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file.is_open()) return;
  const auto size = static_cast<ssize_t>(layer.size() * kDigestBytes);
  static_assert(sizeof(core::Digest256) == kDigestBytes);
  const bool is_written = ::write(file.get(), layer.data(), static_cast<std::size_t>(size)) == size;
  if (!is_written || ::renameat(folder->get(), fresh.c_str(), folder->get(), name.c_str()) != 0) {
    ::unlinkat(folder->get(), fresh.c_str(), 0);
  }
}

std::optional<std::vector<core::Digest256>> LayerStore::load(const core::Root& root,
                                                             std::uint64_t size_bytes) const {
  const std::uint64_t pieces = piece_count_of(size_bytes);
  auto file = root_.open_file(path_of(root), O_RDONLY);
  struct stat info {};
  if (!file.ok() || ::fstat(file->get(), &info) != 0 ||
      static_cast<std::uint64_t>(info.st_size) != pieces * kDigestBytes) {
    return std::nullopt;
  }
  std::vector<core::Digest256> layer(pieces);
  const auto size = static_cast<ssize_t>(pieces * kDigestBytes);
  if (::read(file->get(), layer.data(), static_cast<std::size_t>(size)) != size) {
    return std::nullopt;
  }
  if (root_of_layer(layer) != root) return std::nullopt;
  return layer;
}

void LayerStore::keep_only(const std::set<core::Root>& wanted) const {
  auto folder = root_.open_folder(folder_name());
  if (!folder.ok()) return;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(::dup(folder->get())), &::closedir);
  if (!entries) return;
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string name = entry->d_name;
    core::Root root;
    if (name == "." || name == "..") continue;
    if (!core::from_hex(name, root) || !wanted.count(root)) {
      ::unlinkat(folder->get(), name.c_str(), 0);
    }
  }
}

}  // namespace syncline::collections::files
