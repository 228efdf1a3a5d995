// What is asked of a metadata service, what it answers, and what follows. Values only.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "core/result.hpp"
#include "core/time.hpp"

namespace syncline::spot {

struct Request {
  std::string method = "GET";
  std::string path;  // with the query
  std::map<std::string, std::string> headers;
};

// What came back, whatever its status: a 404 is an answer.
struct Answer {
  int status = 0;
  std::string body;
  std::string date;    // the header Date; may be empty
  std::string flavor;  // the header Metadata-Flavor; may be empty
};

// kUnreachable: no whole answer in time. kExhausted: the answer is larger than may be.
using Ask = std::function<core::Result<Answer>(const Request&)>;

// The provider takes this machine away.
struct Notice {
  std::string reason;       // one sentence
  double seconds_left = 0;  // from when the answer was given
  bool operator==(const Notice&) const = default;
};

struct Signals {
  std::optional<Notice> notice;
  std::string advice;  // it may come to that: one sentence; empty: nothing of the kind
  bool operator==(const Signals&) const = default;
};

// Which provider's machine this is.
struct Found {
  std::string provider;  // "aws", "gcp", "azure", "vast" …
  bool is_spot = false;  // it may be taken away at any time
  std::string sign;      // how we know: "environment variable RUNPOD_POD_ID"
  bool operator==(const Found&) const = default;
};

}  // namespace syncline::spot
