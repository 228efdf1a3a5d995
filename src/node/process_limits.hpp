// What a daemon asks of its process before it does anything: memory and open files.
#pragma once

namespace syncline::node {

// REQUIRES: no thread runs yet.
void set_process_limits();

}  // namespace syncline::node
