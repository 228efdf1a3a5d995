// SyncRequest ↔ query string, for GET /v1/routes. Pure; same field names as in JSON, lists by
// repeating the name.
#pragma once

#include <map>
#include <string>

#include "core/result.hpp"
#include "facade/types.hpp"

namespace syncline::http {

using Query = std::multimap<std::string, std::string>;

// kInvalid: unknown name (with the nearest), or a value that its field cannot hold.
core::Result<facade::SyncRequest> request_from_query(const Query& query,
                                                     facade::SyncRequest defaults = {});

// "data_type=games&targets=spot-1": everything that differs from the default, percent-encoded.
// Request: facade::SyncRequest or syncline::SyncRequest.
template <typename Request>
std::string to_query(const Request& request);

}  // namespace syncline::http
