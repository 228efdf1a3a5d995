// The two ways in which providers write a moment of wall time.
#pragma once

#include <optional>
#include <string_view>

#include "core/time.hpp"

namespace syncline::spot {

// "2017-09-18T08:22:00Z" (ISO 8601, UTC; a fraction of the second is passed over).
std::optional<core::WallMs> parse_iso_time(std::string_view text);
// "Mon, 19 Sep 2016 18:29:47 GMT" (RFC 9110, IMF-fixdate): HTTP's Date, Azure's NotBefore.
std::optional<core::WallMs> parse_http_time(std::string_view text);

}  // namespace syncline::spot
