// Objects by their root: for peers and for HTTP.
#include "node/files_state.hpp"
#include "node/log.hpp"
#include "transports/swarm/swarm_transport.hpp"

namespace syncline::node {

using core::Error;
using core::ErrorKind;

namespace {

class TreeObject final : public transports::p2p::ServedObject {
 public:
  TreeObject(std::shared_ptr<disk::ObjectReader> reader, std::shared_ptr<disk::Tree> tree,
             std::string path)
      : reader_(std::move(reader)), tree_(std::move(tree)), path_(std::move(path)) {}
  std::uint64_t size_bytes() const override { return reader_->size_bytes(); }
  core::Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const override {
    return reader_->read_at(offset, into);
  }
  core::Result<std::vector<core::Digest256>> piece_layer() const override {
    return tree_->piece_layer(path_, reader_->known());
  }

 private:
  std::shared_ptr<disk::ObjectReader> reader_;
  std::shared_ptr<disk::Tree> tree_;
  std::string path_;
};

}  // namespace

core::Result<FilesShell::State::Found> FilesShell::State::find(const core::Root& root) {
  for (auto& [name, one] : lanes) {
    FilesLane& lane = *one;
    const auto open = lane.opened();
    if (!open) continue;
    std::vector<std::pair<std::string, disk::KnownFile>> candidates;
    {
      const std::lock_guard lock(lane.mutex);
      const auto [first, last] = lane.by_root.equal_range(root);
      for (auto it = first; it != last; ++it) {
        candidates.emplace_back(it->second, lane.known.at(it->second).file);
      }
    }
    for (const auto& [path, known] : candidates) {
      auto reader = open->tree->open_for_read(path, known);
      if (reader.ok()) {
        return Found{std::shared_ptr<disk::ObjectReader>(std::move(reader).value()), open->tree,
                     &lane, path};
      }
      look_again(lane, path);  // it is not what it was
    }
  }
  return Error{ErrorKind::kMissing, "this node does not hold the object whole", to_hex(root)};
}

transports::p2p::OpenObject FilesShell::opener() {
  return
      [this](
          const core::Root& root) -> core::Result<std::shared_ptr<transports::p2p::ServedObject>> {
        auto whole = state_->find(root);
        if (!whole.ok()) {
          if (auto arriving = state_->arriving(root)) return {std::move(arriving)};
          return whole.error();
        }
        State::Found& found = *whole;
        return std::shared_ptr<transports::p2p::ServedObject>(std::make_shared<TreeObject>(
            std::move(found.reader), std::move(found.tree), std::move(found.path)));
      };
}

core::Status FilesShell::State::seed(const core::Root& root) {
  SYNCLINE_ASSIGN(const Found found, find(root));
  SYNCLINE_ASSIGN(auto layer, found.tree->piece_layer(found.path, found.reader->known()));
  return swarm->seed({root, found.reader->size_bytes(), found.reader->fd(), std::move(layer)});
}

core::Result<std::vector<core::Digest256>> FilesShell::piece_layer(const core::Root& root) {
  SYNCLINE_ASSIGN(const State::Found found, state_->find(root));
  return found.tree->piece_layer(found.path, found.reader->known());
}

void FilesShell::seed(const core::Root& root) {
  State& s = *state_;
  if (s.swarm == nullptr) return;
  s.copier.post([&s, root] {
    if (s.is_closed) return;
    const core::Status seeded = s.seed(root);
    // Who asked finds nobody, and takes another way.
    if (!seeded.ok()) log_warning("an object is not seeded: " + core::to_string(seeded.error()));
  });
}

core::Result<http::OpenedObject> FilesShell::open_for_http(const core::Root& root) {
  SYNCLINE_ASSIGN(State::Found found, state_->find(root));
  http::OpenedObject object;
  object.size_bytes = found.reader->size_bytes();
  object.read_at = [reader = found.reader](std::uint64_t offset, std::span<char> into) {
    return reader->read_at(offset, into);
  };
  return object;
}

}  // namespace syncline::node
