// A condition that the operator wrote in SQL: `complete_when`. It stands inside statements of ours,
// so it must be one expression: brackets closed, quotes closed, no second statement.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace syncline::collections::sqlite {

// kInvalid, with SQLite's own words where it does not parse. Whether its columns exist is seen at
// each database.
core::Status check_condition(std::string_view sql);

}  // namespace syncline::collections::sqlite
