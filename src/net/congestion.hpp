// Which congestion control a link gets (decisions/0048): the machine's own, but CUBIC in place of
// BBR on a short path. BBR paces by timers so that no queue builds up on the way; where there is
// hardly a way, this costs a fifth of the speed. Whether a path is short is known only when
// something has been sent, and a socket that BBR has begun stays paced: so each begins with CUBIC.
// An error of the kernel leaves what was.
#pragma once

#include "core/time.hpp"

namespace syncline::net {

// A TCP socket that is open and not yet connected, or is to listen.
void begin_without_pacing(int socket);

// One that has sent and heard something. Short: `short_path_max` there and back, by the fastest
// answer so far (a busy machine answers late).
void settle_congestion_control(int socket, core::Duration short_path_max);

}  // namespace syncline::net
