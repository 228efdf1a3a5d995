// Values ↔ JSON: the one codec of the server, the C++ client and the tests.
//
// JSON field names are the fields' names in facade/types.hpp, facade/reports.hpp and
// include/syncline/values.hpp; an empty optional is null. Both families of structs are encoded by
// the same field lists (fields.hpp), so they cannot drift apart.
// Strict: an unknown field is kInvalid and names the nearest known one (what people send us).
// Lenient: unknown fields are skipped, absent ones keep their default (what a newer daemon sends).
// Pure and thread-safe. Instantiated for: SyncRequest, SyncResponse, StatusReport, StatsReport,
// RouteReport, FlushReport, VerifyReport, EventRow (both families), and the requests and lists
// below.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "facade/reports.hpp"

namespace syncline::http {

struct FlushRequest {
  int acks = 0;  // 0 = as configured
  double deadline_s = 60;
};

struct VerifyRequest {
  std::vector<std::string> collections;  // empty = every collection
};

struct NotifyRequest {
  std::string event;
  std::map<std::string, std::string> details;
};

struct PauseRequest {
  std::string collection;  // empty: all
  bool is_paused = true;
};

struct DeadLetterRequest {
  std::string action;            // retry | drop
  std::string collection;        // empty: all
  std::vector<std::string> ids;  // empty: all
};
struct DeadLetterAnswer {
  std::uint64_t changed = 0;  // merged, or dropped
  std::uint64_t left = 0;
};

struct ConfigAnswer {
  std::string toml;  // the configuration in force, without secrets
};

// Lists travel inside an object, so that fields can be added later.
// clang-format off
template <typename Row> struct NodesOf { std::vector<Row> nodes; };
template <typename Row> struct FreshnessOf { std::vector<Row> freshness; };
template <typename Row> struct TransfersOf { std::vector<Row> transfers; };
template <typename Row> struct DeadLettersOf { std::vector<Row> dead_letters; };
template <typename Row> struct EventsOf { std::vector<Row> events; };
template <typename Row> struct VerifyReportsOf { std::vector<Row> reports; };
// clang-format on
using NodesAnswer = NodesOf<facade::PeerStatus>;
using FreshnessAnswer = FreshnessOf<facade::FreshnessRow>;
using TransfersAnswer = TransfersOf<facade::TransferRow>;
using DeadLettersAnswer = DeadLettersOf<facade::DeadLetterRow>;
using EventsAnswer = EventsOf<facade::EventRow>;
using VerifyAnswer = VerifyReportsOf<facade::VerifyReport>;

struct ErrorDetail {
  std::string kind;  // invalid | missing | unreachable | overloaded | exhausted | corrupt | …
  std::string what;
  std::string subject;
};
struct ErrorAnswer {
  ErrorDetail error;
};

enum class Strictness { kStrict, kLenient };

// Always valid UTF-8: bytes that are not (a file name, say) become U+FFFD.
template <typename T>
std::string to_json(const T& value);

// kInvalid, one line: what is wrong with which field. Fields not given keep `defaults`.
template <typename T>
core::Result<T> from_json(std::string_view text, Strictness strictness, T defaults = {});

// The same JSON over several lines, indented by two. REQUIRES: valid JSON
std::string indented(std::string_view json);

// JSON Schema (draft 2020-12) of T, from the same field lists; docs/schemas/ holds its output.
template <typename T>
std::string schema_of(std::string_view title);

}  // namespace syncline::http
