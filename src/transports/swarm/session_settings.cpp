#include "transports/swarm/session_settings.hpp"

#include <algorithm>
#include <limits>

namespace syncline::transports::swarm {

const char* const kDhGroup =
    "-----BEGIN DH PARAMETERS-----\n"
    "MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz\n"
    "+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a\n"
    "87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7\n"
    "YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi\n"
    "7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD\n"
    "ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==\n"
    "-----END DH PARAMETERS-----\n";

int bytes_per_second(double mbps) {
  return mbps <= 0 ? 0 : static_cast<int>(std::min(mbps * 1e6, 2e9));
}

std::vector<std::pair<std::string, SettingValue>> libtorrent_settings(
    const SessionSettings& settings) {
  return {
      {"listen_interfaces", settings.listen + "s"},  // s: TLS
      {"max_retry_port_bind", 0},                    // there or nowhere: others are told of it
      {"listen_system_port_fallback", false},
      {"user_agent", std::string("Syncline")},
      // Peers are those that the caller names.
      {"enable_dht", false},
      {"enable_lsd", false},
      {"enable_upnp", false},
      {"enable_natpmp", false},
      // Stock clients try uTP first; nodes among themselves speak TCP.
      {"enable_incoming_utp", true},
      {"enable_outgoing_utp", false},
      {"allow_multiple_connections_per_ip", true},  // several nodes may share one address
      // Who does not have the torrent yet refuses, and may have it a moment later.
      {"min_reconnect_time", 1},
      {"max_failcount", 1000},
      {"peer_connect_timeout", 5},
      {"smooth_connects", false},
      {"connection_speed", 200},
      {"connections_limit", 600},
      {"unchoke_slots_limit", -1},
      {"upload_rate_limit", bytes_per_second(settings.upload_mbps)},
      {"rate_limit_ip_overhead", false},
      {"aio_threads", 2},
      {"hashing_threads", 1},
      // In blocks of 16 KiB. Mapped files count as memory of the daemon, all of them.
      {"mmap_file_size_cutoff", std::numeric_limits<int>::max()},
      // The shares of session.hpp hold from the first request on, and no more is asked of one peer
      // than it sends in a second: what waits there is asked of nobody else.
      {"initial_picker_threshold", 0},
      {"request_queue_time", 1},
      {"tick_interval", 100},
  };
}

}  // namespace syncline::transports::swarm
