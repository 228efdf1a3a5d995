// Bytes of a kept record, compressed with Zstandard.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace syncline::collections::sqlite {

core::Result<std::string> pack(std::string_view bytes);
// kCorrupt: damaged, or larger than any unit.
core::Result<std::string> unpack(std::string_view packed);

}  // namespace syncline::collections::sqlite
