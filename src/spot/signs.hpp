// Signs of a provider that lie about on the machine itself: environment variables, and the name
// of the hardware's maker. Pure: the caller reads them.
//
// Only what a provider or a public program documents counts. A folder that exists, or a host name
// that looks like one, is no sign: the older system guessed by those and was wrong at times.
// Lambda and Nebius document neither: there node.provider and node.ephemeral say it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "spot/types.hpp"

namespace syncline::spot {

// The value of an environment variable; nothing if it is not set.
using Lookup = std::function<std::optional<std::string>(const char* variable)>;
Lookup process_environment();

std::optional<Found> found_in_environment(const Lookup& lookup);

// Where Linux shows the maker's name.
inline constexpr const char* kVendorFile = "/sys/class/dmi/id/sys_vendor";
// Tells the provider only: whether the machine is a spot instance its metadata says.
std::optional<Found> found_in_vendor(std::string_view vendor);

}  // namespace syncline::spot
