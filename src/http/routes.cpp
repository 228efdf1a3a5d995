#include "http/routes.hpp"

#include <httplib.h>

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "core/nearest.hpp"
#include "http/errors.hpp"
#include "http/json.hpp"
#include "http/page.hpp"
#include "http/query.hpp"

namespace syncline::http {
namespace {

using httplib::Request;
using httplib::Response;

constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

// Every path, for the nearest one and for "wrong method".
struct KnownPath {
  const char* path;
  const char* method;
};
constexpr KnownPath kPaths[] = {
    {"/", "GET"},
    {"/v1/sync", "POST"},
    {"/v1/flush", "POST"},
    {"/v1/verify", "POST"},
    {"/v1/notify", "POST"},
    {"/v1/pause", "POST"},
    {"/v1/rotate-key", "POST"},
    {"/v1/dead-letters", "GET"},
    {"/v1/status", "GET"},
    {"/v1/nodes", "GET"},
    {"/v1/stats", "GET"},
    {"/v1/freshness", "GET"},
    {"/v1/routes", "GET"},
    {"/v1/events", "GET"},
    {"/v1/transfers", "GET"},
    {"/v1/config", "GET"},
    {"/v1/export", "GET"},
    {"/metrics", "GET"},
    {"/healthz", "GET"},
    {"/readyz", "GET"},
    {"/objects/", "GET"},
};

template <typename T>
void answer(Response& response, const core::Result<T>& result) {
  if (!result.ok()) return answer_error(response, result.error());
  answer_json(response, to_json(*result));
}

// No body is a body without fields: `curl -X POST …/v1/flush` means the defaults.
template <typename T>
core::Result<T> read_body(const Request& request, T defaults = {}) {
  return from_json(request.body.empty() ? "{}" : request.body, Strictness::kStrict, defaults);
}

core::Error invalid(const std::string& what) {
  return core::Error{core::ErrorKind::kInvalid, what, ""};
}

// Calls that may block for minutes share a bounded number of places.
template <typename Call>
void long_call(Shared& shared, Response& response, Call call) {
  const auto place = shared.long_calls.enter();
  if (!place) return answer_busy(response, "too many calls are under way; try again in a moment");
  call();
}

core::Status check(const facade::SyncRequest& request) {
  if (request.data_type.empty()) return invalid("'data_type' is missing: a collection, or 'all'");
  if (request.timeout_s <= 0) return invalid("'timeout_s' must be above 0");
  if (request.bandwidth_limit_mbps < 0) {
    return invalid("'bandwidth_limit_mbps' must not be negative");
  }
  return {};
}

void add_sync(httplib::Server& server, Shared& shared) {
  server.Post("/v1/sync", [&shared](const Request& request, Response& response) {
    facade::SyncRequest defaults;
    defaults.timeout_s = shared.sync_timeout_s;
    const auto wanted = read_body(request, defaults);
    if (!wanted.ok()) return answer_error(response, wanted.error());
    if (const auto status = check(*wanted); !status.ok()) {
      return answer_error(response, status.error());
    }
    long_call(shared, response, [&] { answer(response, shared.api.sync(*wanted)); });
  });
  server.Get("/v1/routes", [&shared](const Request& request, Response& response) {
    const Query query(request.params.begin(), request.params.end());
    const auto wanted = request_from_query(query);
    if (!wanted.ok()) return answer_error(response, wanted.error());
    if (const auto status = check(*wanted); !status.ok()) {
      return answer_error(response, status.error());
    }
    long_call(shared, response, [&] { answer(response, shared.api.route(*wanted)); });
  });
}

void add_flush(httplib::Server& server, Shared& shared) {
  server.Post("/v1/flush", [&shared](const Request& request, Response& response) {
    const auto wanted = read_body<FlushRequest>(request);
    if (!wanted.ok()) return answer_error(response, wanted.error());
    constexpr double kDeadlineMax = 7 * 24 * 3600;
    if (wanted->acks < 0) return answer_error(response, invalid("'acks' must not be negative"));
    if (wanted->deadline_s < 0 || wanted->deadline_s > kDeadlineMax) {
      return answer_error(response, invalid("'deadline_s' must be between 0 and 604800"));
    }
    const auto deadline = core::from_seconds(wanted->deadline_s);
    long_call(shared, response,
              [&] { answer(response, shared.api.flush(wanted->acks, deadline)); });
  });
}

core::Result<VerifyAnswer> verify_all(Api& api, std::vector<std::string> names) {
  if (names.empty()) {
    for (const auto& collection : api.status().collections) names.push_back(collection.name);
  }
  VerifyAnswer out;
  for (const std::string& name : names) {
    SYNCLINE_ASSIGN(auto report, api.verify(name));
    out.reports.push_back(std::move(report));
  }
  return out;
}

void add_verify(httplib::Server& server, Shared& shared) {
  server.Post("/v1/verify", [&shared](const Request& request, Response& response) {
    const auto wanted = read_body<VerifyRequest>(request);
    if (!wanted.ok()) return answer_error(response, wanted.error());
    long_call(shared, response,
              [&] { answer(response, verify_all(shared.api, wanted->collections)); });
  });
}

void add_notify(httplib::Server& server, Shared& shared) {
  server.Post("/v1/dead-letters", [&shared](const Request& request, Response& response) {
    const auto wanted = read_body<DeadLetterRequest>(request);
    if (!wanted.ok()) return answer_error(response, wanted.error());
    long_call(shared, response, [&] { answer(response, shared.api.handle_dead_letters(*wanted)); });
  });
  server.Post("/v1/notify", [&shared](const Request& request, Response& response) {
    const auto wanted = read_body<NotifyRequest>(request);
    if (!wanted.ok()) return answer_error(response, wanted.error());
    if (wanted->event.empty()) return answer_error(response, invalid("'event' is missing"));
    long_call(shared, response, [&] {
      const auto status = shared.api.notify(wanted->event, wanted->details);
      if (!status.ok()) return answer_error(response, status.error());
      answer_json(response, "{\"is_accepted\":true}");
    });
  });
}

void add_export(httplib::Server& server, Shared& shared) {
  server.Get("/v1/export", [&shared](const Request& request, Response& response) {
    const std::string form = request.get_param_value("form");
    const std::string path = request.get_param_value("path");
    if (form.empty() || path.empty()) {
      return answer_error(response, invalid("'form', 'collection' and 'path' are needed"));
    }
    long_call(shared, response, [&] {
      const auto text = shared.api.export_file(form, request.get_param_value("collection"), path);
      if (!text.ok()) return answer_error(response, text.error());
      response.set_content(
          *text, form == "torrent" ? "application/x-bittorrent" : "application/metalink4+xml");
    });
  });
}

void add_pause(httplib::Server& server, Shared& shared) {
  server.Post("/v1/pause", [&shared](const Request& request, Response& response) {
    const auto wanted = read_body<PauseRequest>(request);
    if (!wanted.ok()) return answer_error(response, wanted.error());
    const auto status = shared.api.pause(wanted->collection, wanted->is_paused);
    if (!status.ok()) return answer_error(response, status.error());
    answer_json(response, "{\"is_accepted\":true}");
  });
}

void add_rotate_key(httplib::Server& server, Shared& shared) {
  server.Post("/v1/rotate-key", [&shared](const Request&, Response& response) {
    const auto status = shared.api.rotate_key();
    if (!status.ok()) return answer_error(response, status.error());
    answer_json(response, "{\"is_accepted\":true}");
  });
}

void add_reports(httplib::Server& server, Shared& shared) {
  Api& api = shared.api;
  server.Get("/v1/status", [&api](const Request&, Response& response) {
    answer_json(response, to_json(api.status()));
  });
  server.Get("/v1/nodes", [&api](const Request&, Response& response) {
    answer_json(response, to_json(NodesAnswer{api.nodes()}));
  });
  server.Delete(R"(/v1/nodes/([^/]{1,64}))", [&api](const Request& request, Response& response) {
    const auto status = api.remove_node(request.matches[1]);
    if (!status.ok()) return answer_error(response, status.error());
    answer_json(response, "{\"is_removed\":true}");
  });
  server.Get("/v1/dead-letters", [&api](const Request&, Response& response) {
    auto rows = api.dead_letters();
    if (!rows.ok()) return answer_error(response, rows.error());
    answer_json(response, to_json(DeadLettersAnswer{std::move(rows).value()}));
  });
  server.Get("/v1/freshness", [&api](const Request&, Response& response) {
    answer_json(response, to_json(FreshnessAnswer{api.freshness()}));
  });
  server.Get("/v1/stats", [&api](const Request&, Response& response) {
    answer_json(response, to_json(api.stats()));
  });
  server.Get("/v1/transfers", [&api](const Request&, Response& response) {
    answer_json(response, to_json(TransfersAnswer{api.transfers()}));
  });
  server.Get("/v1/config", [&api](const Request&, Response& response) {
    response.set_content(api.config_toml(), "application/toml; charset=utf-8");
  });
}

void add_probes(httplib::Server& server, Shared& shared) {
  Api& api = shared.api;
  server.Get("/metrics", [&api](const Request&, Response& response) {
    response.set_content(api.metrics_text(), kMetricsType);
  });
  server.Get("/healthz", [](const Request&, Response& response) {
    response.set_content("ok\n", "text/plain");
  });
  server.Get("/readyz", [&api](const Request&, Response& response) {
    const bool is_ready = api.is_ready();
    response.status = is_ready ? 200 : 503;
    response.set_content(is_ready ? "ready\n" : "starting\n", "text/plain");
  });
  server.Get("/favicon.ico", [](const Request&, Response& response) { response.status = 204; });
  server.Get("/", [](const Request&, Response& response) {
    static const std::string policy = page_security_policy();
    response.set_header("Content-Security-Policy", policy);
    response.set_header("Cache-Control", "no-cache");
    response.set_header("Referrer-Policy", "no-referrer");
    response.set_content(std::string(page_html()), "text/html; charset=utf-8");
  });
}

std::string explain(const Request& request, int status, std::int64_t request_max_bytes) {
  if (status == 413) {
    return "the body is larger than api.request_max_bytes (" + std::to_string(request_max_bytes) +
           " bytes)";
  }
  if (status == 404) {
    std::vector<std::string> paths;
    for (const KnownPath& known : kPaths) {
      if (known.path == request.path) {
        return std::string(known.path) + " is for " + known.method + ", not " + request.method;
      }
      paths.emplace_back(known.path);
    }
    return "there is nothing at " + request.path + core::did_you_mean(request.path, paths);
  }
  if (status == 414) return "the address of the request is too long";
  if (status == 416) return "the range is malformed, or beyond the end";
  return status < 500 ? "the request is malformed" : "the daemon could not answer";
}

void add_fallbacks(httplib::Server& server, Shared& shared) {
  const auto limit = shared.request_max_bytes;
  server.set_error_handler([limit](const Request& request, Response& response) {
    if (!response.body.empty()) return;
    const bool is_known = std::any_of(std::begin(kPaths), std::end(kPaths), [&](const auto& known) {
      return known.path == request.path;
    });
    const std::string what = explain(request, response.status, limit);
    if (response.status == 404 && is_known) response.status = 405;
    const bool is_missing = response.status == 404;
    answer_json(response, error_body(is_missing ? "missing" : "invalid", what), response.status);
  });
  server.set_exception_handler([](const Request&, Response& response, std::exception_ptr thrown) {
    std::string what = "the daemon could not answer";
    try {
      std::rethrow_exception(std::move(thrown));
    } catch (const std::exception& exception) {
      what += std::string(": ") + exception.what();
    } catch (...) {
      what += ": unknown exception";
    }
    answer_json(response, error_body("corrupt", what), 500);
  });
}

}  // namespace

void answer_json(Response& response, std::string body, int status) {
  response.status = status;
  response.set_content(std::move(body), "application/json");
}

void answer_error(Response& response, const core::Error& error) {
  answer_json(response, error_body(error), status_of(error.kind));
}

void answer_busy(Response& response, const std::string& what) {
  response.set_header("Retry-After", "2");
  answer_json(response, error_body("overloaded", what), 503);
}

void add_routes(httplib::Server& server, Shared& shared) {
  server.set_default_headers({{"X-Content-Type-Options", "nosniff"}});
  add_sync(server, shared);
  add_flush(server, shared);
  add_verify(server, shared);
  add_notify(server, shared);
  add_pause(server, shared);
  add_export(server, shared);
  add_rotate_key(server, shared);
  add_reports(server, shared);
  add_probes(server, shared);
  add_event_routes(server, shared);
  add_object_routes(server, shared);
  add_fallbacks(server, shared);
}

}  // namespace syncline::http
