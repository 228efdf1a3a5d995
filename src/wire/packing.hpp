// zstd for payloads, where it pays.
//
// Threads: any. ObjectData is packed and unpacked by whoever makes and takes it, away from the
// loop; batches of records are packed with their frame.
#pragma once

#include <cstdint>
#include <string>

namespace syncline::wire {

// False: less than a tenth would be saved (or hardly 1 KiB is there): left as it is.
bool compress(std::string& bytes);
// False: no zstd, or not exactly so many bytes; left as it is. More than a payload may have is
// refused before anything is allocated.
bool decompress(std::string& bytes, std::uint64_t raw_bytes);

}  // namespace syncline::wire
