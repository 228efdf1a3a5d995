// The types that json.cpp and schema.cpp are instantiated for.
#pragma once

// clang-format off: it has no form of its own for such a list.
#define SYNCLINE_FOR_EACH_DAEMON_TYPE(DO) \
  DO(facade::SyncRequest)                 \
  DO(facade::SyncResponse)                \
  DO(facade::StatusReport)                \
  DO(facade::StatsReport)                 \
  DO(facade::RouteReport)                 \
  DO(facade::FlushReport)                 \
  DO(facade::EventRow)                    \
  DO(FlushRequest)                        \
  DO(VerifyRequest)                       \
  DO(NotifyRequest)                       \
  DO(PauseRequest)                        \
  DO(NodesAnswer)                         \
  DO(FreshnessAnswer)                     \
  DO(TransfersAnswer)                     \
  DO(EventsAnswer)                        \
  DO(DeadLettersAnswer)                   \
  DO(DeadLetterRequest)                   \
  DO(DeadLetterAnswer)                    \
  DO(facade::VerifyReport)                \
  DO(VerifyAnswer)                        \
  DO(ErrorAnswer)                         \
  DO(ConfigAnswer)

#define SYNCLINE_FOR_EACH_CLIENT_TYPE(DO)    \
  DO(syncline::SyncRequest)                  \
  DO(syncline::SyncResponse)                 \
  DO(syncline::StatusReport)                 \
  DO(syncline::StatsReport)                  \
  DO(syncline::RouteReport)                  \
  DO(syncline::FlushReport)                  \
  DO(syncline::EventRow)                     \
  DO(syncline::DeadLettersHandled)           \
  DO(NodesOf<syncline::PeerStatus>)          \
  DO(FreshnessOf<syncline::FreshnessRow>)    \
  DO(TransfersOf<syncline::TransferRow>)     \
  DO(EventsOf<syncline::EventRow>)           \
  DO(DeadLettersOf<syncline::DeadLetterRow>) \
  DO(VerifyReportsOf<syncline::VerifyReport>)

#define SYNCLINE_FOR_EACH_JSON_TYPE(DO) \
  SYNCLINE_FOR_EACH_DAEMON_TYPE(DO)     \
  SYNCLINE_FOR_EACH_CLIENT_TYPE(DO)
// clang-format on
