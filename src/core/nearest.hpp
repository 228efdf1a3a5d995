// The known name that somebody most likely meant: for "unknown key, did you mean …?".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::core {

// Edit distance in which swapping two neighbours counts once (optimal string alignment).
// Compares bytes; texts are cut at 64 bytes, so the cost is bounded whatever comes in.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The known name with the smallest distance to `name`, first one wins; none when even that one
// differs in more than a third of the longer text plus one (then it is no help to anybody).
std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& known);

// "; did you mean 'targets'?" or "" when nothing is near.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& known);

}  // namespace syncline::core
