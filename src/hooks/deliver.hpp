// One try to tell one event. Bounded by the hook's timeout; nothing of the event reaches a shell.
#pragma once

#include <string>

#include "core/config.hpp"
#include "core/result.hpp"
#include "hooks/queue.hpp"

namespace syncline::hooks {

// kUnreachable: nobody answered, the program did not end in time, or exit code or status say no.
// `cancel_fd`: readable once the daemon stops; programs are ended then. `secret`: of posts.
core::Status deliver(const core::HookConfig& hook, const Notice& notice, const std::string& node,
                     const std::string& secret, int cancel_fd);

// "sha256=" and the HMAC-SHA256 (RFC 2104) of the body in hex, as several web services sign.
std::string signature(const std::string& secret, const std::string& body);

}  // namespace syncline::hooks
