// What a daemon asks of its process before it does anything: memory and open files.
#pragma once

#include <cstdint>

namespace syncline::node {

// Answers how many files may be open from now on. REQUIRES: no thread runs yet.
std::uint64_t set_process_limits();

}  // namespace syncline::node
