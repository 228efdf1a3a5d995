// What libtorrent is told at its start, by the names of its manual ("settings_pack").
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "transports/swarm/session.hpp"

namespace syncline::transports::swarm {

using SettingValue = std::variant<bool, int, std::string>;
std::vector<std::pair<std::string, SettingValue>> libtorrent_settings(
    const SessionSettings& settings);

// libtorrent's limits: 0 = unlimited.
int bytes_per_second(double mbps);

// A group of RFC 7919 (ffdhe2048) in PEM, for peers that speak TLS 1.2: libtorrent wants one.
extern const char* const kDhGroup;

}  // namespace syncline::transports::swarm
