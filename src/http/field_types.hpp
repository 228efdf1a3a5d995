// Ties each struct of both families to its field list, and each enum to its names in JSON.
#pragma once

#include <array>
#include <string_view>

#include "facade/types.hpp"
#include "http/fields.hpp"
#include "http/fields_answers.hpp"
#include "http/json.hpp"
#include "syncline/values.hpp"

namespace syncline::http {

// clang-format off
template <> struct FieldsOf<facade::OriginLag> : OriginLagFields {};
template <> struct FieldsOf<facade::CollectionStatus> : CollectionStatusFields {};
template <> struct FieldsOf<facade::PeerStatus> : PeerStatusFields {};
template <> struct FieldsOf<facade::HookRow> : HookRowFields {};
template <> struct FieldsOf<facade::AgentlessRow> : AgentlessRowFields {};
template <> struct FieldsOf<facade::StatusReport> : StatusReportFields {};
template <> struct FieldsOf<facade::FreshnessRow> : FreshnessRowFields {};
template <> struct FieldsOf<facade::BackendStats> : BackendStatsFields {};
template <> struct FieldsOf<facade::StatsReport> : StatsReportFields {};
template <> struct FieldsOf<facade::RouteVerdict> : RouteVerdictFields {};
template <> struct FieldsOf<facade::RouteReport> : RouteReportFields {};
template <> struct FieldsOf<facade::TransferRow> : TransferRowFields {};
template <> struct FieldsOf<facade::EventRow> : EventRowFields {};
template <> struct FieldsOf<facade::DeadLetterRow> : DeadLetterRowFields {};
template <> struct FieldsOf<facade::VerifyDifference> : VerifyDifferenceFields {};
template <> struct FieldsOf<facade::VerifyReport> : VerifyReportFields {};
template <> struct FieldsOf<facade::FlushReport> : FlushReportFields {};
template <> struct FieldsOf<facade::SyncRequest> : SyncRequestFields {};
template <> struct FieldsOf<facade::NodeSyncResult> : NodeSyncResultFields {};
template <> struct FieldsOf<facade::SyncResponse> : SyncResponseFields {};

template <> struct FieldsOf<syncline::OriginLag> : OriginLagFields {};
template <> struct FieldsOf<syncline::CollectionStatus> : CollectionStatusFields {};
template <> struct FieldsOf<syncline::PeerStatus> : PeerStatusFields {};
template <> struct FieldsOf<syncline::HookRow> : HookRowFields {};
template <> struct FieldsOf<syncline::AgentlessRow> : AgentlessRowFields {};
template <> struct FieldsOf<syncline::StatusReport> : StatusReportFields {};
template <> struct FieldsOf<syncline::FreshnessRow> : FreshnessRowFields {};
template <> struct FieldsOf<syncline::BackendStats> : BackendStatsFields {};
template <> struct FieldsOf<syncline::StatsReport> : StatsReportFields {};
template <> struct FieldsOf<syncline::RouteVerdict> : RouteVerdictFields {};
template <> struct FieldsOf<syncline::RouteReport> : RouteReportFields {};
template <> struct FieldsOf<syncline::TransferRow> : TransferRowFields {};
template <> struct FieldsOf<syncline::EventRow> : EventRowFields {};
template <> struct FieldsOf<syncline::DeadLetterRow> : DeadLetterRowFields {};
template <> struct FieldsOf<syncline::VerifyDifference> : VerifyDifferenceFields {};
template <> struct FieldsOf<syncline::VerifyReport> : VerifyReportFields {};
template <> struct FieldsOf<syncline::FlushReport> : FlushReportFields {};
template <> struct FieldsOf<syncline::SyncRequest> : SyncRequestFields {};
template <> struct FieldsOf<syncline::NodeSyncResult> : NodeSyncResultFields {};
template <> struct FieldsOf<syncline::SyncResponse> : SyncResponseFields {};

template <> struct FieldsOf<FlushRequest> : FlushRequestFields {};
template <> struct FieldsOf<VerifyRequest> : VerifyRequestFields {};
template <> struct FieldsOf<NotifyRequest> : NotifyRequestFields {};
template <> struct FieldsOf<PauseRequest> : PauseRequestFields {};
template <> struct FieldsOf<DeadLetterRequest> : DeadLetterRequestFields {};
template <> struct FieldsOf<syncline::DeadLettersHandled> : DeadLetterAnswerFields {};
template <> struct FieldsOf<DeadLetterAnswer> : DeadLetterAnswerFields {};
template <> struct FieldsOf<ConfigAnswer> : ConfigAnswerFields {};
template <> struct FieldsOf<ErrorDetail> : ErrorDetailFields {};
template <> struct FieldsOf<ErrorAnswer> : ErrorAnswerFields {};
template <typename Row> struct FieldsOf<NodesOf<Row>> : NodesAnswerFields {};
template <typename Row> struct FieldsOf<FreshnessOf<Row>> : FreshnessAnswerFields {};
template <typename Row> struct FieldsOf<TransfersOf<Row>> : TransfersAnswerFields {};
template <typename Row> struct FieldsOf<DeadLettersOf<Row>> : DeadLettersAnswerFields {};
template <typename Row> struct FieldsOf<EventsOf<Row>> : EventsAnswerFields {};
template <typename Row> struct FieldsOf<VerifyReportsOf<Row>> : VerifyAnswerFields {};
// clang-format on

// The name of enumerator number i stands at position i.
template <typename E>
struct EnumNames;

struct PriorityNames {
  static constexpr std::array<std::string_view, 5> kNames = {"critical", "high", "normal", "low",
                                                             "background"};
};
template <>
struct EnumNames<core::Priority> : PriorityNames {
  static_assert(static_cast<int>(core::Priority::kBackground) == 4);
};
template <>
struct EnumNames<syncline::Priority> : PriorityNames {
  static_assert(static_cast<int>(syncline::Priority::kBackground) == 4);
};
template <>
struct EnumNames<facade::NodeOutcome> {
  static constexpr std::array<std::string_view, 4> kNames = {"verified", "pending", "failed",
                                                             "not_eligible"};
  static_assert(static_cast<int>(facade::NodeOutcome::kNotEligible) == 3);
};

}  // namespace syncline::http
