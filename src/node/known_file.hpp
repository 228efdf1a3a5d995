// What the scanner remembers of a file, as the state database keeps it: one line of text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "collections/files/types.hpp"

namespace syncline::node {

std::string encode(const collections::files::KnownFile& known);
// None for anything that encode() cannot have made: the file is hashed again.
std::optional<collections::files::KnownFile> decode_known_file(std::string_view text);

}  // namespace syncline::node
