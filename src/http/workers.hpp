// The threads of one listener: as many as there are connections being served, up to a bound.
#pragma once

#include <cstddef>

namespace httplib {
class TaskQueue;
}

namespace syncline::http {

// Threads are started when none is idle and end after some idle seconds. At the bound the accept
// loop waits, so further connections stay in the kernel's backlog. The caller owns the result.
httplib::TaskQueue* make_workers(std::size_t threads_max);

}  // namespace syncline::http
