// Is somebody holding a file open for writing?
#pragma once

namespace syncline::collections::files {

// Asked by requesting a read lease, which the kernel grants only if nobody has the file open for
// writing, and giving it back at once. Where leases are not to be had (another owner's file, most
// network file systems) the answer is no, and size and times must do.
// REQUIRES: `fd` is open for reading only. Thread-safe.
bool has_writer(int fd);

}  // namespace syncline::collections::files
