#include "cli/explain.hpp"

#include "facade/sentence.hpp"
#include "http/json.hpp"

namespace syncline::cli {

std::string explained(const RouteReport& route) {
  // The same fields in the daemon's own type: the words are the facade's.
  const auto report =
      http::from_json<facade::RouteReport>(http::to_json(route), http::Strictness::kLenient);
  return report.ok() ? facade::sentence(*report) + "\n" : "";
}

}  // namespace syncline::cli
