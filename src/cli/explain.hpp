// Why a route is what it is, in sentences. Pure.
#pragma once

#include <string>

#include "syncline/values.hpp"

namespace syncline::cli {

std::string explained(const RouteReport& route);

}  // namespace syncline::cli
