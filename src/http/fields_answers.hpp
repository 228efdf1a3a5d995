// Field lists (see fields.hpp) of the objects that lists travel in, and of errors.
#pragma once

#include <string_view>

namespace syncline::http {

struct NodesAnswerFields {
  static constexpr std::string_view kName = "NodesAnswer";
  static constexpr std::size_t kCount = 1;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("nodes", x.nodes, "every node that is known here");
  }
};

struct FreshnessAnswerFields {
  static constexpr std::string_view kName = "FreshnessAnswer";
  static constexpr std::size_t kCount = 1;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("freshness", x.freshness, "one row per collection and config key");
  }
};

struct TransfersAnswerFields {
  static constexpr std::string_view kName = "TransfersAnswer";
  static constexpr std::size_t kCount = 1;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("transfers", x.transfers, "under way and lately ended");
  }
};

struct DeadLetterRowFields {
  static constexpr std::string_view kName = "DeadLetterRow";
  static constexpr std::size_t kCount = 5;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("id", x.id, "origin/epoch/seq of the record");
    field("collection", x.collection, "whose replica it does not fit");
    field("key", x.key, "key of its unit, as it says");
    field("reason", x.reason, "why it cannot be merged");
    field("bytes", x.bytes, "its size; it is kept");
  }
};

struct DeadLettersAnswerFields {
  static constexpr std::string_view kName = "DeadLettersAnswer";
  static constexpr std::size_t kCount = 1;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("dead_letters", x.dead_letters, "records that cannot be merged on this node");
  }
};

struct DeadLetterRequestFields {
  static constexpr std::string_view kName = "DeadLetterRequest";
  static constexpr std::size_t kCount = 3;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("action", x.action, "retry or drop");
    field("collection", x.collection, "empty: all");
    field("ids", x.ids, "empty: all of them");
  }
};

struct DeadLetterAnswerFields {
  static constexpr std::string_view kName = "DeadLetterAnswer";
  static constexpr std::size_t kCount = 2;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("changed", x.changed, "merged now, or dropped");
    field("left", x.left, "that still cannot be merged");
  }
};

struct EventsAnswerFields {
  static constexpr std::string_view kName = "EventsAnswer";
  static constexpr std::size_t kCount = 1;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("events", x.events, "oldest first");
  }
};

struct VerifyAnswerFields {
  static constexpr std::string_view kName = "VerifyAnswer";
  static constexpr std::size_t kCount = 1;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("reports", x.reports, "one per collection");
  }
};

struct ErrorDetailFields {
  static constexpr std::string_view kName = "ErrorDetail";
  static constexpr std::size_t kCount = 3;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("kind", x.kind,
          "invalid, missing, unreachable, overloaded, exhausted, corrupt, conflict, cancelled, "
          "denied");
    field("what", x.what, "one sentence: what failed and what to do");
    field("subject", x.subject, "node, path, collection or object; may be empty");
  }
};

struct ErrorAnswerFields {
  static constexpr std::string_view kName = "ErrorAnswer";
  static constexpr std::size_t kCount = 1;
  template <typename V, typename T>
  static void visit(V&& field, T& x) {
    field("error", x.error, "every answer outside 2xx has this body");
  }
};

}  // namespace syncline::http
