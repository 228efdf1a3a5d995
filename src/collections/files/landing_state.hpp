// What Landing and LandingSite share inside the room.
#pragma once

#include <future>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "collections/files/confined.hpp"
#include "collections/files/landing_meta.hpp"
#include "collections/files/landing_site.hpp"
#include "collections/files/layer_store.hpp"
#include "collections/files/placement.hpp"

namespace syncline::collections::files {

struct LandingSite::State {
  State(core::CollectionConfig config_in, core::NodeId node_in, Confined root_in,
        OwnedFd staging_in)
      : config(std::move(config_in)),
        node(std::move(node_in)),
        root(std::move(root_in)),
        layers(root),
        staging(std::move(staging_in)) {}

  Placement placement_of(const LandingRequest& request, const std::string& id) const;
  // Two steps, since one sync of the file system may serve many.
  core::Status write_meta_unsynced(const std::string& id, const LandingMeta& meta) const;
  core::Status sync_meta(const std::string& id) const;
  core::Result<LandingMeta> read_meta(const std::string& id) const;
  void remove_staged(const std::string& id) const;  // .data and .meta; never .displaced
  // Completes what a crash interrupted; a conflict copy is noted in `recovered`.
  void recover(const std::string& id);
  std::vector<std::string> staged_names() const;

  bool hold(const std::string& path, const std::string& id);
  void release(const std::string& path);
  bool is_held(const std::string& id);

  const core::CollectionConfig config;
  const core::NodeId node;
  const Confined root;
  const LayerStore layers;
  const OwnedFd staging;

  std::mutex guard;                         // of what follows
  std::map<std::string, std::string> held;  // path -> id of the landing that is open for it
  std::vector<std::string> recovered;       // conflict copies nobody was told of yet
};

struct Landing::State {
  State(std::shared_ptr<LandingSite::State> site_in, LandingRequest request_in, std::string id_in)
      : site(std::move(site_in)),
        request(std::move(request_in)),
        id(std::move(id_in)),
        pieces(piece_count()) {}

  std::uint64_t size_bytes() const { return request.object.size_bytes; }
  std::uint64_t piece_count() const;
  bool is_resumable() const { return size_bytes() >= kResumeBytesMin; }
  // An object of one piece needs no layer: its piece's root is its own.
  bool has_layer() const { return size_bytes() <= kPieceBytes || !request.piece_layer.empty(); }
  // Else what is on disk leaves the page cache: the next bytes go to the same pages, while those
  // come anew cost more than the copy into them, and others keep what they have cached.
  bool is_cached() const;
  const core::Digest256& expected(std::uint64_t piece) const;
  LandingMeta meta() const;

  core::Status open_data();  // creates and preallocates, or finds what is there
  core::Status create_data();
  core::Status store(std::uint64_t piece, std::string_view bytes);
  core::Status checkpoint();
  // The same beside the caller, who goes on writing: the disk works while bytes arrive. One at a
  // time; what it could not do, the next call of either says.
  core::Status begin_checkpoint();
  bool is_checkpointing() const;
  core::Status join_checkpoint();
  core::Status prepare(LastFolder& folders);  // everything before the data sync of finish()
  core::Status sync_staged() const;
  core::Result<Landed> conclude(std::string conflict_copy);  // after the folder's sync

  std::shared_ptr<LandingSite::State> site;
  LandingRequest request;
  std::string id;
  OwnedFd data;
  PieceSet pieces;
  std::uint64_t unsynced_bytes = 0;
  std::future<core::Status> checkpointing;
  FileStamp left_as;  // before it got its name
  bool has_meta = false;
  bool is_done = false;
};

}  // namespace syncline::collections::files
