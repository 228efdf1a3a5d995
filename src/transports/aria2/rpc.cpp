#include "transports/aria2/rpc.hpp"

#include <httplib.h>

#include <charconv>
#include <nlohmann/json.hpp>

namespace syncline::transports::aria2 {

using core::Error;
using core::ErrorKind;
using core::Result;
using core::Status;
using nlohmann::json;

namespace {

constexpr std::size_t kAnswerMax = 1u << 20;
constexpr int kPatienceSeconds = 5;  // it answers from memory

Error unreadable(const std::string& method) {
  return {ErrorKind::kCorrupt, "aria2c's answer cannot be understood", method};
}

// aria2c writes all numbers as texts.
std::uint64_t number(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return 0;
  const std::string& text = found->get_ref<const std::string&>();
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string text(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

struct Rpc::State {
  explicit State(RpcEndpoint the_endpoint)
      : endpoint(std::move(the_endpoint)), client("127.0.0.1", endpoint.port) {
    client.set_connection_timeout(kPatienceSeconds);
    client.set_read_timeout(kPatienceSeconds);
    client.set_write_timeout(kPatienceSeconds);
    client.set_keep_alive(true);
    client.set_tcp_nodelay(true);
  }

  Result<json> call(const std::string& method, json arguments) {
    json parameters = json::array({"token:" + endpoint.secret});
    for (json& argument : arguments) parameters.push_back(std::move(argument));
    const json request = {
        {"jsonrpc", "2.0"}, {"id", "syncline"}, {"method", method}, {"params", parameters}};
    std::string body;
    httplib::Request post;
    post.method = "POST";
    post.path = "/jsonrpc";
    // Paths may hold bytes that are no UTF-8; aria2c is not given those.
    post.body = request.dump(-1, ' ', false, json::error_handler_t::replace);
    post.set_header("Content-Type", "application/json");
    post.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
      body.append(data, size);
      return body.size() <= kAnswerMax;
    };
    const auto answer = client.send(post);
    if (!answer) {
      return Error{ErrorKind::kUnreachable,
                   "aria2c does not answer: " + httplib::to_string(answer.error()), method};
    }
    const json parsed = json::parse(body, nullptr, false);
    if (!parsed.is_object()) return unreadable(method);
    if (const auto error = parsed.find("error"); error != parsed.end() && error->is_object()) {
      const std::string message = text(*error, "message");
      const bool is_unknown = message.find("not found") != std::string::npos;
      return Error{is_unknown ? ErrorKind::kMissing : ErrorKind::kInvalid, "aria2c: " + message,
                   method};
    }
    const auto result = parsed.find("result");
    if (result == parsed.end()) return unreadable(method);
    return *result;
  }

  const RpcEndpoint endpoint;
  httplib::Client client;
};

Rpc::Rpc(RpcEndpoint endpoint) : state_(std::make_unique<State>(std::move(endpoint))) {}
Rpc::~Rpc() = default;

Result<std::string> Rpc::version() {
  SYNCLINE_ASSIGN(const json answer, state_->call("aria2.getVersion", json::array()));
  return answer.is_object() ? text(answer, "version") : "";
}

Result<std::string> Rpc::add_uri(const std::vector<std::string>& urls, const Options& options) {
  json given = json::object();
  for (const auto& [name, value] : options) given[name] = value;
  SYNCLINE_ASSIGN(const json answer, state_->call("aria2.addUri", json::array({urls, given})));
  if (!answer.is_string()) return unreadable("aria2.addUri");
  return answer.get<std::string>();
}

Result<DownloadStatus> Rpc::tell_status(const std::string& gid) {
  const json keys = {"status", "completedLength", "totalLength", "errorCode", "errorMessage"};
  SYNCLINE_ASSIGN(const json answer, state_->call("aria2.tellStatus", json::array({gid, keys})));
  if (!answer.is_object()) return unreadable("aria2.tellStatus");
  DownloadStatus status;
  status.state = text(answer, "status");
  status.completed_bytes = number(answer, "completedLength");
  status.total_bytes = number(answer, "totalLength");
  status.error_code = static_cast<int>(number(answer, "errorCode"));
  status.error_message = text(answer, "errorMessage");
  return status;
}

Result<std::vector<ServerRate>> Rpc::servers(const std::string& gid) {
  SYNCLINE_ASSIGN(const json answer, state_->call("aria2.getServers", json::array({gid})));
  std::vector<ServerRate> rates;
  if (!answer.is_array()) return unreadable("aria2.getServers");
  for (const json& file : answer) {
    const auto servers = file.find("servers");
    if (servers == file.end() || !servers->is_array()) continue;
    for (const json& server : *servers) {
      rates.push_back({text(server, "uri"), static_cast<double>(number(server, "downloadSpeed"))});
    }
  }
  return rates;
}

Status Rpc::force_remove(const std::string& gid) {
  SYNCLINE_TRY(state_->call("aria2.forceRemove", json::array({gid})));
  return {};
}

Status Rpc::forget(const std::string& gid) {
  SYNCLINE_TRY(state_->call("aria2.removeDownloadResult", json::array({gid})));
  return {};
}

Status Rpc::force_shutdown() {
  SYNCLINE_TRY(state_->call("aria2.forceShutdown", json::array()));
  return {};
}

}  // namespace syncline::transports::aria2
