// The bearer token of TCP listeners.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace syncline::http {

// The token in `path`, without surrounding white space. kInvalid: shorter than 16 characters, or
// the file may be read or written by others (chmod 600). kMissing: no such file.
core::Result<std::string> read_token(const std::string& path);

// The token in `path`; makes the file (0600, 256 random bits as hex) if there is none.
core::Result<std::string> read_or_make_token(const std::string& path);

// In time that does not depend on where they differ, nor on their lengths.
bool is_same_token(std::string_view given, std::string_view expected);

// "Bearer abc" -> "abc"; "" for anything else.
std::string_view bearer_of(std::string_view authorization);

}  // namespace syncline::http
