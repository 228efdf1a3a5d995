#include "transports/swarm/session.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/bdecode.hpp>
#include <libtorrent/hasher.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/settings_pack.hpp>
#include <libtorrent/torrent_info.hpp>
#include <libtorrent/torrent_status.hpp>
#include <map>
#include <mutex>
#include <thread>

#include "env/files.hpp"
#include "transports/swarm/host_port.hpp"
#include "transports/swarm/owned_fd.hpp"
#include "transports/swarm/session_settings.hpp"
#include "transports/swarm/torrent.hpp"
#include "transports/swarm/wrong_piece_guard.hpp"

namespace syncline::transports::swarm {

using core::Error;
using core::ErrorKind;
using core::Root;
using Clock = std::chrono::steady_clock;

namespace {
constexpr std::size_t kPemBytesMax = 64u << 10;
constexpr auto kSweepEvery = std::chrono::seconds(5);
constexpr auto kAlertWait = std::chrono::milliseconds(200);

lt::settings_pack settings_of(const SessionSettings& settings) {
  lt::settings_pack pack;
  for (const auto& [name, value] : libtorrent_settings(settings)) {
    const int id = lt::setting_by_name(name);
    if (const auto* text = std::get_if<std::string>(&value)) pack.set_str(id, *text);
    if (const auto* number = std::get_if<int>(&value)) pack.set_int(id, *number);
    if (const auto* is_on = std::get_if<bool>(&value)) pack.set_bool(id, *is_on);
  }
  const auto mask =
      lt::alert_category::error | lt::alert_category::status | lt::alert_category::storage;
  pack.set_int(lt::settings_pack::alert_mask, static_cast<int>(static_cast<std::uint32_t>(mask)));
  return pack;
}

struct Torrent {
  lt::torrent_handle handle;
  std::unique_ptr<OwnedFd> file;
  bool is_seed = false;
  bool is_flushed = false;
  int wrong_pieces = 0;
  std::string problem;
  std::int64_t uploaded = 0;  // at the last sweep
  Clock::time_point used_at = Clock::now();
};

std::optional<lt::tcp::endpoint> endpoint_of(const std::string& address) {
  const auto at = host_port(address);
  lt::error_code error;
  const auto ip = lt::make_address(at ? at->host : "", error);
  if (!at || error) return std::nullopt;
  return lt::tcp::endpoint(ip, at->port);
}

}  // namespace

struct Session::State {
  SessionSettings settings;
  std::string certificate, key, authority;
  std::unique_ptr<lt::session> session;
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::map<Root, Torrent> torrents;
  std::map<lt::torrent_handle, Root> roots;
  std::vector<std::unique_ptr<OwnedFd>> closing;  // of torrents that libtorrent still lets go of
  std::string listen_problem;
  bool is_listening = false;
  std::atomic<bool> is_closed{false};
  std::thread alerts;

  core::Status add(const Root& root, lt::add_torrent_params params, int fd, bool is_seed);
  void take_alerts();
  void take(const lt::alert& alert);
  void sweep();
  void drop(std::map<Root, Torrent>::iterator at);
  // Not valid where it was dropped, or could not be added.
  lt::torrent_handle handle_of(const Root& root) const {
    const std::lock_guard lock(mutex);
    const auto at = torrents.find(root);
    return at == torrents.end() ? lt::torrent_handle() : at->second.handle;
  }
  Torrent* find(const lt::torrent_handle& handle) {
    const auto root = roots.find(handle);
    if (root == roots.end()) return nullptr;
    const auto at = torrents.find(root->second);
    return at == torrents.end() ? nullptr : &at->second;
  }
};

// ── start and end ───────────────────────────────────────────────────────────────────────────────

core::Result<std::unique_ptr<Session>> Session::start(const SessionSettings& settings) {
  auto state = std::make_shared<State>();
  state->settings = settings;
  SYNCLINE_ASSIGN(state->certificate, env::read_file(settings.certificate_file, kPemBytesMax));
  SYNCLINE_ASSIGN(state->key, env::read_file(settings.key_file, kPemBytesMax));
  SYNCLINE_ASSIGN(state->authority, env::read_file(settings.authority_file, kPemBytesMax));
  state->session = std::make_unique<lt::session>(lt::session_params(settings_of(settings)));
  state->alerts = std::thread([state = state.get()] { state->take_alerts(); });
  std::unique_ptr<Session> session(new Session(state));
  std::unique_lock lock(state->mutex);
  state->changed.wait_for(lock, std::chrono::seconds(5),
                          [&] { return state->is_listening || !state->listen_problem.empty(); });
  if (!state->is_listening) {
    const std::string why = state->listen_problem.empty() ? "no answer" : state->listen_problem;
    lock.unlock();
    return Error{ErrorKind::kConflict, "the swarm cannot listen: " + why, settings.listen};
  }
  return session;
}

Session::~Session() {
  State& s = *state_;
  s.is_closed = true;
  if (s.alerts.joinable()) s.alerts.join();
  s.session.reset();  // waits for its threads: only then the descriptors may go
  s.torrents.clear();
}

std::uint16_t Session::port() const {
  return state_->session->ssl_listen_port();
}

// ── torrents ────────────────────────────────────────────────────────────────────────────────────

core::Status Session::State::add(const Root& root, lt::add_torrent_params params, int fd,
                                 bool is_seed) {
  auto file = std::make_unique<OwnedFd>(fd);
  if (!file->is_open()) {
    return Error{ErrorKind::kExhausted, "no file descriptor is left for a torrent",
                 core::to_hex(root)};
  }
  params.save_path = "/proc/self/fd";
  params.renamed_files[lt::file_index_t(0)] = file->path();
  params.flags &= ~(lt::torrent_flags::auto_managed | lt::torrent_flags::paused |
                    lt::torrent_flags::apply_ip_filter);
  params.flags |= lt::torrent_flags::disable_dht | lt::torrent_flags::disable_lsd |
                  lt::torrent_flags::disable_pex | lt::torrent_flags::no_verify_files |
                  lt::torrent_flags::duplicate_is_error;
  params.max_connections = 200;
  params.extensions.emplace_back([](const auto&, auto) { return wrong_piece_guard(); });
  lt::error_code error;
  const std::lock_guard lock(mutex);
  Torrent torrent;
  torrent.handle = session->add_torrent(std::move(params), error);
  if (error) {
    return Error{ErrorKind::kInvalid, "the torrent cannot be added: " + error.message(),
                 core::to_hex(root)};
  }
  torrent.handle.set_ssl_certificate_buffer(certificate, key, kDhGroup);
  torrent.file = std::move(file);
  torrent.is_seed = is_seed;
  roots[torrent.handle] = root;
  torrents[root] = std::move(torrent);
  return {};
}

core::Status Session::download(const Download& download) {
  State& s = *state_;
  {
    const std::lock_guard lock(s.mutex);
    const auto at = s.torrents.find(download.root);
    if (at != s.torrents.end()) {
      if (!at->second.is_seed) {
        return Error{ErrorKind::kOverloaded, "the object is downloaded already",
                     core::to_hex(download.root)};
      }
      s.drop(at);  // of another file, which may be gone
    }
  }
  const std::string info = info_dictionary({download.root, download.size_bytes, s.authority});
  lt::error_code error;
  const lt::bdecode_node decoded = lt::bdecode(info, error);
  const lt::info_hash_t hash(lt::hasher256(info).final());
  auto torrent = std::make_shared<lt::torrent_info>(hash);
  if (error || !torrent->parse_info_section(decoded, error, 1 << 20)) {
    return Error{ErrorKind::kInvalid, "no torrent can be made of it: " + error.message(),
                 core::to_hex(download.root)};
  }
  lt::add_torrent_params params;
  params.ti = std::move(torrent);
  // Given, they are believed, and the file is not read through before the first byte is asked for.
  params.have_pieces.resize(static_cast<int>(download.pieces.size()), false);
  for (std::size_t i = 0; i < download.pieces.size(); ++i) {
    if (download.pieces[i]) params.have_pieces.set_bit(lt::piece_index_t(static_cast<int>(i)));
  }
  for (std::size_t i = 0; download.count > 1 && i < download.pieces.size(); ++i) {
    const bool is_ours = i % download.count == static_cast<std::size_t>(download.rank);
    params.piece_priorities.push_back(is_ours ? lt::top_priority : lt::default_priority);
  }
  params.download_limit = bytes_per_second(download.limit_mbps);
  return s.add(download.root, std::move(params), download.fd, false);
}

core::Status Session::seed(const Seed& seed) {
  State& s = *state_;
  {
    const std::lock_guard lock(s.mutex);
    const auto at = s.torrents.find(seed.root);
    if (at != s.torrents.end()) {
      at->second.used_at = Clock::now();
      return {};
    }
  }
  SYNCLINE_ASSIGN(const std::string file,
                  torrent_file({seed.root, seed.size_bytes, s.authority}, seed.piece_layer));
  lt::error_code error;
  auto torrent = std::make_shared<lt::torrent_info>(file, error, lt::from_span);
  if (error) {
    return Error{ErrorKind::kInvalid, "no torrent can be made of it: " + error.message(),
                 core::to_hex(seed.root)};
  }
  lt::add_torrent_params params;
  params.ti = std::move(torrent);
  params.flags |= lt::torrent_flags::seed_mode;
  SYNCLINE_TRY(s.add(seed.root, std::move(params), seed.fd, true));
  s.sweep();
  return {};
}

void Session::meet(const Root& root, const std::vector<std::string>& addresses) {
  const lt::torrent_handle handle = state_->handle_of(root);
  if (!handle.is_valid()) return;
  for (const std::string& address : addresses) {
    if (const auto endpoint = endpoint_of(address)) handle.connect_peer(*endpoint);
  }
}

void Session::limit(const Root& root, double mbps) {
  const lt::torrent_handle handle = state_->handle_of(root);
  if (handle.is_valid()) handle.set_download_limit(bytes_per_second(mbps));
}

Progress Session::look(const Root& root) const {
  lt::torrent_handle handle;
  Progress progress;
  {
    const std::lock_guard lock(state_->mutex);
    const auto at = state_->torrents.find(root);
    if (at == state_->torrents.end()) {
      progress.problem = "it was dropped";
      return progress;
    }
    handle = at->second.handle;
    progress.wrong_pieces = at->second.wrong_pieces;
    progress.problem = at->second.problem;
  }
  if (!handle.is_valid()) return progress;
  const lt::torrent_status status = handle.status({});
  progress.done_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(status.total_done, 0));
  progress.wire_bytes = static_cast<std::uint64_t>(status.total_download);
  progress.peers = status.num_peers;
  progress.is_complete = status.is_seeding;
  if (status.errc) progress.problem = status.errc.message();
  return progress;
}

std::string Session::best_peer(const Root& root) const {
  const lt::torrent_handle handle = state_->handle_of(root);
  if (!handle.is_valid()) return {};
  std::vector<lt::peer_info> peers;
  handle.get_peer_info(peers);
  std::int64_t most = 0;
  std::string best;
  for (const lt::peer_info& peer : peers) {
    if (peer.total_download <= most) continue;
    most = peer.total_download;
    best = address_text(peer.ip.address().to_string(), peer.ip.port());
  }
  return best;
}

std::vector<bool> Session::pieces(const Root& root) const {
  const lt::torrent_handle handle = state_->handle_of(root);
  if (!handle.is_valid()) return {};
  const lt::torrent_status status = handle.status(lt::torrent_handle::query_pieces);
  return {status.pieces.begin(), status.pieces.end()};
}

bool Session::flush(const Root& root, core::Duration at_most) {
  State& s = *state_;
  std::unique_lock lock(s.mutex);
  const auto at = s.torrents.find(root);
  if (at == s.torrents.end()) return false;
  at->second.is_flushed = false;
  at->second.handle.flush_cache();
  return s.changed.wait_for(lock, at_most, [&] {
    const auto now = s.torrents.find(root);
    return now == s.torrents.end() || now->second.is_flushed;
  });
}

void Session::keep(const Root& root) {
  const std::lock_guard lock(state_->mutex);
  const auto at = state_->torrents.find(root);
  if (at == state_->torrents.end()) return;
  at->second.is_seed = true;
  at->second.used_at = Clock::now();
}

void Session::stop(const Root& root) {
  const std::lock_guard lock(state_->mutex);
  const auto at = state_->torrents.find(root);
  if (at != state_->torrents.end()) state_->drop(at);
}

std::size_t Session::seeds() const {
  const std::lock_guard lock(state_->mutex);
  return std::count_if(state_->torrents.begin(), state_->torrents.end(),
                       [](const auto& one) { return one.second.is_seed; });
}

void Session::State::drop(std::map<Root, Torrent>::iterator at) {
  roots.erase(at->second.handle);
  session->remove_torrent(at->second.handle);
  closing.push_back(std::move(at->second.file));
  torrents.erase(at);
}

// ── what libtorrent tells ───────────────────────────────────────────────────────────────────────

void Session::State::take_alerts() {
  auto swept_at = Clock::now();
  while (!is_closed) {
    session->wait_for_alert(kAlertWait);
    std::vector<lt::alert*> alerts_now;
    session->pop_alerts(&alerts_now);
    {
      const std::lock_guard lock(mutex);
      for (const lt::alert* alert : alerts_now) take(*alert);
    }
    if (!alerts_now.empty()) changed.notify_all();
    if (Clock::now() - swept_at < kSweepEvery) continue;
    swept_at = Clock::now();
    sweep();
  }
}

void Session::State::take(const lt::alert& alert) {
  if (lt::alert_cast<lt::listen_succeeded_alert>(&alert) != nullptr) {
    is_listening = true;
  } else if (lt::alert_cast<lt::listen_failed_alert>(&alert) != nullptr) {
    listen_problem = alert.message();
  } else if (const auto* flushed = lt::alert_cast<lt::cache_flushed_alert>(&alert)) {
    if (Torrent* torrent = find(flushed->handle)) torrent->is_flushed = true;
  } else if (const auto* wrong = lt::alert_cast<lt::hash_failed_alert>(&alert)) {
    if (Torrent* torrent = find(wrong->handle)) {
      ++torrent->wrong_pieces;
      torrent->handle.pause();  // its peers go at once: nothing more is asked of any of them
    }
  } else if (const auto* file = lt::alert_cast<lt::file_error_alert>(&alert)) {
    if (Torrent* torrent = find(file->handle)) torrent->problem = file->error.message();
  } else if (const auto* failed = lt::alert_cast<lt::torrent_error_alert>(&alert)) {
    if (Torrent* torrent = find(failed->handle)) torrent->problem = failed->error.message();
  } else if (lt::alert_cast<lt::torrent_removed_alert>(&alert) != nullptr) {
    // libtorrent may open the file by the name of our descriptor until then.
    if (!closing.empty()) closing.erase(closing.begin());
  }
}

// Seeds that nobody read for long go, and the longest unused of too many.
void Session::State::sweep() {
  const std::lock_guard lock(mutex);
  const auto now = Clock::now();
  std::vector<std::pair<Clock::time_point, Root>> seeds;
  for (auto& [root, torrent] : torrents) {
    if (!torrent.is_seed || !torrent.handle.is_valid()) continue;
    const std::int64_t uploaded = torrent.handle.status({}).total_payload_upload;
    if (uploaded != torrent.uploaded) torrent.used_at = now;
    torrent.uploaded = uploaded;
    seeds.emplace_back(torrent.used_at, root);
  }
  std::sort(seeds.begin(), seeds.end());
  std::size_t left = seeds.size();
  for (const auto& [used_at, root] : seeds) {
    const bool is_beyond = left > static_cast<std::size_t>(std::max(settings.seeds_max, 1));
    if (!is_beyond && now - used_at < settings.idle_max) continue;
    drop(torrents.find(root));
    --left;
  }
}

}  // namespace syncline::transports::swarm
