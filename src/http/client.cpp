#include "syncline/client.hpp"

#include <httplib.h>
#include <unistd.h>

#include <cctype>
#include <utility>

#include "http/client_parts.hpp"
#include "http/event_stream.hpp"
#include "http/json.hpp"
#include "http/query.hpp"
#include "http/socket_file.hpp"

namespace syncline {
namespace {

constexpr double kPatienceS = 60;                 // for what the daemon answers from memory
constexpr double kPatienceMoreS = 30;             // beyond the deadline that a request names itself
constexpr double kPatienceNotifyS = 24 * 3600.0;  // the most that write_through_timeout_s may be
constexpr double kPatienceVerifyS = 24 * 3600.0;  // re-hashing everything takes as long as it takes
constexpr time_t kStreamSilenceS = 60;            // the server speaks every 15 s at least

std::pair<time_t, time_t> split_seconds(double s) {
  const auto whole = static_cast<time_t>(s);
  return {whole, static_cast<time_t>((s - static_cast<double>(whole)) * 1e6)};
}

// The fleet's certificates name nodes, not hosts, and its CA signs nothing else: OpenSSL checks the
// chain, and the library's own check, which wants a host's name, is off.
bool trust_only(httplib::SSLClient& tls, const std::string& authority) {
  tls.enable_server_certificate_verification(false);
  SSL_CTX* context = tls.ssl_context();
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return SSL_CTX_load_verify_locations(context, authority.c_str(), nullptr) == 1;
}

}  // namespace

struct Client::State {
  Endpoint endpoint;
  http::ParsedEndpoint parsed;

  // A connection of its own for each request. `hold` keeps what the path leans on.
  struct Connection {
    std::unique_ptr<http::ShortSocketPath> hold;
    std::unique_ptr<httplib::ClientImpl> link;
  };

  Result<Connection> connect(double patience_s) const;
  Error unreachable(httplib::Error error, double patience_s) const;

  template <typename T>
  Result<T> get(const std::string& path, double patience_s = kPatienceS) const {
    return read<T>(send("GET", path, {}, patience_s));
  }
  template <typename T>
  Result<T> post(const std::string& path, const std::string& body, double patience_s) const {
    return read<T>(send("POST", path, body, patience_s));
  }
  Result<RawAnswer> send(const std::string& method, const std::string& path,
                         const std::string& body, double patience_s) const;

  template <typename T>
  static Result<T> read(const Result<RawAnswer>& answer) {
    if (!answer) return answer.error();
    if (answer->http_status / 100 != 2) {
      return http::error_from_answer(answer->http_status, answer->body);
    }
    auto value = http::from_json<T>(answer->body, http::Strictness::kLenient);
    if (!value.ok()) {
      return Error{ErrorKind::kCorrupt,
                   "the daemon's answer is not understood: " + value.error().what, ""};
    }
    return std::move(value).value();
  }
};

Result<Client::State::Connection> Client::State::connect(double patience_s) const {
  Connection out;
  if (parsed.is_unix) {
    auto path = http::ShortSocketPath::open(parsed.path);
    if (!path.ok()) return unreachable(httplib::Error::Connection, patience_s);
    out.hold = std::move(*path);
    out.link = std::make_unique<httplib::ClientImpl>(out.hold->text(), 80);
    out.link->set_address_family(AF_UNIX);
    out.link->set_default_headers({{"Host", "localhost"}});
  } else if (parsed.is_tls) {
    auto tls = std::make_unique<httplib::SSLClient>(parsed.host, parsed.port, endpoint.certificate,
                                                    endpoint.key);
    if (!endpoint.authority.empty() && !trust_only(*tls, endpoint.authority)) {
      return Error{ErrorKind::kInvalid, "cannot read the fleet's CA", endpoint.authority};
    }
    out.link = std::move(tls);
  } else {
    out.link = std::make_unique<httplib::ClientImpl>(parsed.host, parsed.port);
  }
  const auto [connect_s, connect_us] = split_seconds(endpoint.connect_timeout_s);
  const auto [read_s, read_us] = split_seconds(patience_s);
  out.link->set_connection_timeout(connect_s, connect_us);
  out.link->set_read_timeout(read_s, read_us);
  if (!endpoint.token.empty()) out.link->set_bearer_token_auth(endpoint.token.c_str());
  return out;
}

Error Client::State::unreachable(httplib::Error error, double patience_s) const {
  if (error == httplib::Error::Read) {
    return Error{ErrorKind::kUnreachable,
                 "the daemon closed the connection or gave no answer within " +
                     std::to_string(static_cast<long>(patience_s)) + " s",
                 endpoint.address};
  }
  if (error == httplib::Error::SSLServerVerification || error == httplib::Error::SSLConnection ||
      error == httplib::Error::SSLLoadingCerts) {
    return Error{ErrorKind::kDenied, "TLS failed: is this daemon of the same fleet?",
                 endpoint.address};
  }
  if (parsed.is_unix && access(parsed.path.c_str(), W_OK) != 0 && errno == EACCES) {
    return Error{ErrorKind::kDenied, "this user may not open the daemon's socket",
                 endpoint.address};
  }
  return Error{ErrorKind::kUnreachable,
               "no daemon answers; start it with 'syncline daemon', or name another with --config",
               endpoint.address};
}

Result<RawAnswer> Client::State::send(const std::string& method, const std::string& path,
                                      const std::string& body, double patience_s) const {
  auto connection = connect(patience_s);
  if (!connection) return connection.error();
  httplib::Request request;
  request.method = method;
  request.path = path;
  if (method == "POST") {
    request.body = body;
    request.set_header("Content-Type", "application/json");
  }
  const httplib::Result answer = connection->link->send(request);
  if (!answer) return unreachable(answer.error(), patience_s);
  return RawAnswer{answer->status, answer->body};
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::connect(const std::string& address, const std::string& token) {
  Endpoint endpoint;
  endpoint.address = address;
  endpoint.token = token;
  return connect(endpoint);
}

Result<Client> Client::connect(const Endpoint& endpoint) {
  auto parsed = http::parse_endpoint(endpoint.address);
  if (!parsed) return parsed.error();
  auto state = std::make_unique<State>();
  state->endpoint = endpoint;
  state->parsed = *parsed;
  return Client(std::move(state));
}

const Endpoint& Client::endpoint() const {
  return state_->endpoint;
}

Result<SyncResponse> Client::sync(const SyncRequest& request) const {
  return state_->post<SyncResponse>("/v1/sync", http::to_json(request),
                                    request.timeout_s + kPatienceMoreS);
}

Result<RouteReport> Client::route(const SyncRequest& request) const {
  return state_->get<RouteReport>("/v1/routes?" + http::to_query(request));
}

Result<StatusReport> Client::status() const {
  return state_->get<StatusReport>("/v1/status");
}
Result<StatsReport> Client::stats() const {
  return state_->get<StatsReport>("/v1/stats");
}

Result<std::vector<PeerStatus>> Client::nodes() const {
  auto answer = state_->get<http::NodesOf<PeerStatus>>("/v1/nodes");
  if (!answer) return answer.error();
  return std::move(answer->nodes);
}

Result<std::vector<FreshnessRow>> Client::freshness() const {
  auto answer = state_->get<http::FreshnessOf<FreshnessRow>>("/v1/freshness");
  if (!answer) return answer.error();
  return std::move(answer->freshness);
}

Result<std::vector<TransferRow>> Client::transfers() const {
  auto answer = state_->get<http::TransfersOf<TransferRow>>("/v1/transfers");
  if (!answer) return answer.error();
  return std::move(answer->transfers);
}

Result<FlushReport> Client::flush(int acks, double deadline_s) const {
  return state_->post<FlushReport>("/v1/flush", http::to_json(http::FlushRequest{acks, deadline_s}),
                                   deadline_s + kPatienceMoreS);
}

Result<std::vector<VerifyReport>> Client::verify(const std::vector<std::string>& names) const {
  auto answer = state_->post<http::VerifyReportsOf<VerifyReport>>(
      "/v1/verify", http::to_json(http::VerifyRequest{names}), kPatienceVerifyS);
  if (!answer) return answer.error();
  return std::move(answer->reports);
}

namespace {
Result<Done> done(const Result<RawAnswer>& answer) {
  if (!answer) return answer.error();
  if (answer->http_status != 200) {
    return http::error_from_answer(answer->http_status, answer->body);
  }
  return Done{};
}
}  // namespace

Result<Done> Client::notify(const std::string& event,
                            const std::map<std::string, std::string>& details) const {
  // With durability.write_through the daemon answers when the game is durable, or by its own limit.
  return done(raw("POST", "/v1/notify", http::to_json(http::NotifyRequest{event, details}),
                  kPatienceNotifyS));
}

Result<Done> Client::pause(const std::string& collection, bool is_paused) const {
  return done(raw("POST", "/v1/pause", http::to_json(http::PauseRequest{collection, is_paused})));
}

Result<std::string> Client::export_file(const std::string& form, const std::string& collection,
                                        const std::string& path) const {
  const auto encoded = [](const std::string& text) {
    return httplib::detail::encode_query_param(text);
  };
  auto answer = raw("GET",
                    "/v1/export?form=" + encoded(form) + "&collection=" + encoded(collection) +
                        "&path=" + encoded(path),
                    {}, kPatienceVerifyS);
  if (!answer) return answer.error();
  if (answer->http_status != 200) {
    return http::error_from_answer(answer->http_status, answer->body);
  }
  return std::move(answer->body);
}

Result<Done> Client::rotate_key() const {
  return done(raw("POST", "/v1/rotate-key", "{}"));
}

Result<Done> Client::remove_node(const std::string& id) const {
  for (const char c : id) {  // as ids are; anything else has no place in a path
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_' && c != '.') {
      return Error{ErrorKind::kInvalid, "'" + id + "' is no id of a node", id};
    }
  }
  return done(raw("DELETE", "/v1/nodes/" + id));
}

Result<std::vector<DeadLetterRow>> Client::dead_letters() const {
  auto answer = state_->get<http::DeadLettersOf<DeadLetterRow>>("/v1/dead-letters");
  if (!answer) return answer.error();
  return std::move(answer->dead_letters);
}

Result<DeadLettersHandled> Client::retry_dead_letters(const std::vector<std::string>& ids) const {
  return state_->post<DeadLettersHandled>("/v1/dead-letters",
                                          http::to_json(http::DeadLetterRequest{"retry", "", ids}),
                                          kPatienceVerifyS);
}

Result<DeadLettersHandled> Client::drop_dead_letters(const std::vector<std::string>& ids) const {
  return state_->post<DeadLettersHandled>("/v1/dead-letters",
                                          http::to_json(http::DeadLetterRequest{"drop", "", ids}),
                                          kPatienceVerifyS);
}

Result<std::vector<EventRow>> Client::events(std::uint64_t after) const {
  auto answer = state_->get<http::EventsOf<EventRow>>("/v1/events?after=" + std::to_string(after));
  if (!answer) return answer.error();
  return std::move(answer->events);
}

Result<Done> Client::follow_events(std::uint64_t after,
                                   const std::function<bool(const EventRow&)>& each) const {
  auto connection = state_->connect(static_cast<double>(kStreamSilenceS));
  if (!connection) return connection.error();
  http::EventStreamReader reader;
  int status = 0;
  bool is_ended_by_caller = false;
  std::string refusal;
  const auto on_data = [&](const std::string& data) {
    const auto event = http::from_json<EventRow>(data, http::Strictness::kLenient);
    is_ended_by_caller = event.ok() && !each(*event);
    return !is_ended_by_caller;
  };
  const auto answer = connection->link->Get(
      "/v1/events", {{"Accept", "text/event-stream"}, {"Last-Event-ID", std::to_string(after)}},
      [&status](const httplib::Response& response) {
        status = response.status;
        return true;
      },
      [&](const char* bytes, std::size_t size) {
        if (status == 200) return reader.feed({bytes, size}, on_data);
        refusal.append(bytes, size);
        return refusal.size() < 65536;
      });
  if (is_ended_by_caller) return Done{};
  if (status != 0 && status != 200) return http::error_from_answer(status, refusal);
  if (!answer && status == 0) return state_->unreachable(answer.error(), kPatienceS);
  return Error{ErrorKind::kUnreachable, "the stream of events broke off", state_->endpoint.address};
}

Result<std::string> Client::config_toml() const {
  auto answer = raw("GET", "/v1/config");
  if (!answer) return answer.error();
  if (answer->http_status != 200) {
    return http::error_from_answer(answer->http_status, answer->body);
  }
  return std::move(answer->body);
}

Result<bool> Client::is_ready() const {
  const auto answer = raw("GET", "/readyz");
  if (!answer) return answer.error();
  return answer->http_status == 200;
}

Result<RawAnswer> Client::raw(const std::string& method, const std::string& path,
                              const std::string& json_body, double patience_s) const {
  return state_->send(method, path, json_body, patience_s);
}

}  // namespace syncline
