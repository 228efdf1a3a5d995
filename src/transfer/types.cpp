#include "transfer/types.hpp"

#include "core/nearest.hpp"

namespace syncline::transfer {

const char* to_string(Transport transport) {
  switch (transport) {
    case Transport::kNfs:
      return "nfs";
    case Transport::kP2p:
      return "p2p";
    case Transport::kSwarm:
      return "swarm";
    case Transport::kAria2:
      return "aria2";
    case Transport::kSsh:
      return "ssh";
  }
  return "?";
}

core::Result<Transport> parse_transport(std::string_view text) {
  std::vector<std::string> names;
  for (const Transport transport : kTransports) {
    if (text == to_string(transport)) return transport;
    names.emplace_back(to_string(transport));
  }
  return core::Error{core::ErrorKind::kInvalid,
                     "there is no transport '" + std::string(text) + "'" +
                         core::did_you_mean(text, names) +
                         " (nfs, p2p, swarm, aria2 and ssh exist)",
                     std::string(text)};
}

}  // namespace syncline::transfer
