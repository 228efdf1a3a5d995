#include "core/messages.hpp"

#include <array>

namespace syncline::core {

const char* name_of(const Message& message) {
  static constexpr std::array<const char*, std::variant_size_v<Message>> kNames = {
      "hello",           "append-records", "ack-records",   "refuse-records",
      "request-records", "catalog-digest", "catalog-delta", "nudge",
      "goodbye",         "member-packet",  "member-state",  "fleet-key"};
  return kNames[message.index()];
}

}  // namespace syncline::core
