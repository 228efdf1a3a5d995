#include "spot/http_door.hpp"

#include <httplib.h>

#include <atomic>
#include <chrono>
#include <mutex>

namespace syncline::spot {

struct HttpDoor::State {
  std::string origin;  // "http://host:port"
  std::string prefix;  // of every path; may be empty
  HttpLimits limits;
  std::mutex mutex;
  httplib::Client* under_way = nullptr;  // guarded by mutex
  std::atomic<bool> is_cancelled{false};
};

namespace {

core::Error failure(const httplib::Error error, const std::string& origin) {
  using Kind = core::ErrorKind;
  switch (error) {
    case httplib::Error::Connection:
    case httplib::Error::ConnectionTimeout:
      return {Kind::kUnreachable, "nothing answers there", origin};
    case httplib::Error::Canceled:
      return {Kind::kExhausted, "the answer is larger than it may be, or comes too slowly", origin};
    default:
      return {Kind::kUnreachable, "no whole answer came in time: " + httplib::to_string(error),
              origin};
  }
}

}  // namespace

HttpDoor::HttpDoor(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpDoor::~HttpDoor() = default;

core::Result<std::unique_ptr<HttpDoor>> HttpDoor::open(const std::string& base_url,
                                                       const HttpLimits& limits) {
  const auto scheme = base_url.find("://");
  const auto host = scheme == std::string::npos ? 0 : scheme + 3;
  const auto slash = base_url.find('/', host);
  auto state = std::make_unique<State>();
  state->origin = base_url.substr(0, slash);
  state->prefix = slash == std::string::npos ? "" : base_url.substr(slash);
  while (!state->prefix.empty() && state->prefix.back() == '/') state->prefix.pop_back();
  state->limits = limits;
  const bool is_http = base_url.rfind("http://", 0) == 0;
  if (!is_http || state->origin.size() == host || !httplib::Client(state->origin).is_valid()) {
    return core::Error{core::ErrorKind::kInvalid,
                       "a metadata service's base must be a URL such as http://169.254.169.254",
                       base_url};
  }
  return std::unique_ptr<HttpDoor>(new HttpDoor(std::move(state)));
}

core::Result<Answer> HttpDoor::ask(const Request& request) {
  httplib::Client client(state_->origin);
  client.set_connection_timeout(state_->limits.connect_max);
  client.set_read_timeout(state_->limits.answer_max);
  client.set_write_timeout(state_->limits.answer_max);
  // The address that Google documents for this name: no look-up, which could take long where the
  // name does not exist.
  client.set_hostname_addr_map({{"metadata.google.internal", "169.254.169.254"}});
  {
    std::lock_guard lock(state_->mutex);
    state_->under_way = &client;
  }

  Answer answer;
  using Steady = std::chrono::steady_clock;
  const auto give_up_at = Steady::now() + state_->limits.connect_max + state_->limits.answer_max;
  httplib::Request sent;
  sent.method = request.method;
  sent.path = state_->prefix + request.path;
  for (const auto& [name, value] : request.headers) sent.set_header(name, value);
  sent.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    if (answer.body.size() + size > state_->limits.body_bytes_max) return false;
    answer.body.append(data, size);
    return Steady::now() < give_up_at && !state_->is_cancelled;
  };
  const bool may_send = !state_->is_cancelled;
  const httplib::Result result =
      may_send ? client.send(sent) : httplib::Result(nullptr, httplib::Error::Canceled);
  {
    std::lock_guard lock(state_->mutex);
    state_->under_way = nullptr;
  }
  if (state_->is_cancelled) {
    return core::Error{core::ErrorKind::kCancelled, "told to stop", state_->origin};
  }
  if (!result) return failure(result.error(), state_->origin);
  answer.status = result->status;
  answer.date = result->get_header_value("Date");
  answer.flavor = result->get_header_value("Metadata-Flavor");
  return answer;
}

void HttpDoor::cancel() {
  state_->is_cancelled = true;
  std::lock_guard lock(state_->mutex);
  if (state_->under_way != nullptr) state_->under_way->stop();
}

}  // namespace syncline::spot
