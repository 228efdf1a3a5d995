// Reports as people read them: aligned tables, and what to do next. Pure.
#pragma once

#include <string>
#include <vector>

#include "syncline/values.hpp"

namespace syncline::cli {

std::string text_of(const StatusReport& status, bool has_colour);
std::string text_of(const std::vector<PeerStatus>& nodes, bool has_colour);
std::string text_of(const std::vector<FreshnessRow>& rows, bool has_colour);
std::string text_of(const StatsReport& stats, bool has_colour);
std::string text_of(const std::vector<TransferRow>& transfers, bool has_colour);
std::string text_of(const FlushReport& flush, bool has_colour);
std::string text_of(const std::vector<VerifyReport>& reports, bool has_colour);
std::string text_of(const std::vector<DeadLetterRow>& rows, bool has_colour);
std::string text_of(const EventRow& event, bool has_colour);  // one line
std::string text_of(const SyncResponse& response, const std::string& data_type, bool has_colour);
std::string table_of(const RouteReport& route, bool has_colour);

}  // namespace syncline::cli
