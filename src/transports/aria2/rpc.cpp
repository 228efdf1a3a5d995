#include "transports/aria2/rpc.hpp"

#include <httplib.h>

#include <nlohmann/json.hpp>

namespace syncline::transports::aria2 {

using core::Error;
using core::ErrorKind;
using core::Result;
using Json = nlohmann::json;

namespace {

constexpr std::size_t kAnswerBytesMax = 1u << 20;

std::string text_of(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// It writes numbers as strings.
std::uint64_t number_of(const Json& object, const char* name) {
  return std::strtoull(text_of(object, name).c_str(), nullptr, 10);
}

}  // namespace

// Answers the result as JSON text.
Result<std::string> Rpc::call(const std::string& method, const std::string& parameters) const {
  httplib::Client http("127.0.0.1", endpoint_.port);
  http.set_connection_timeout(timeout_);
  http.set_read_timeout(timeout_);
  http.set_write_timeout(timeout_);
  Json request = {{"jsonrpc", "2.0"}, {"id", "syncline"}, {"method", method}};
  request["params"] = Json::parse(parameters);
  request["params"].insert(request["params"].begin(), "token:" + endpoint_.secret);
  std::string answer;
  httplib::Request post;
  post.method = "POST";
  post.path = "/jsonrpc";
  post.headers = {{"Content-Type", "application/json"}};
  // A name is whatever bytes it is: what is no UTF-8 cannot be told and is replaced.
  post.body = request.dump(-1, ' ', false, Json::error_handler_t::replace);
  post.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    if (answer.size() + size > kAnswerBytesMax) return false;
    answer.append(data, size);
    return true;
  };
  const httplib::Result result = http.send(post);
  if (!result) {
    return Error{ErrorKind::kUnreachable,
                 "aria2c does not answer (" + httplib::to_string(result.error()) + ")", method};
  }
  const Json json = Json::parse(answer, nullptr, false);
  if (!json.is_object()) {
    return Error{ErrorKind::kCorrupt, "aria2c answered what is no JSON object", method};
  }
  if (const auto error = json.find("error"); error != json.end() && error->is_object()) {
    return Error{ErrorKind::kInvalid, "aria2c refused: " + text_of(*error, "message"), method};
  }
  const auto value = json.find("result");
  if (value == json.end()) {
    return Error{ErrorKind::kCorrupt, "aria2c answered without a result", method};
  }
  return value->dump();
}

Result<std::string> Rpc::version() const {
  SYNCLINE_ASSIGN(const std::string answer, call("aria2.getVersion", "[]"));
  return text_of(Json::parse(answer), "version");
}

Result<std::string> Rpc::add(const std::vector<std::string>& urls,
                             const std::map<std::string, std::string>& options) const {
  const Json parameters = Json::array({urls, options});
  SYNCLINE_ASSIGN(
      const std::string answer,
      call("aria2.addUri", parameters.dump(-1, ' ', false, Json::error_handler_t::replace)));
  const Json gid = Json::parse(answer);
  if (!gid.is_string()) return Error{ErrorKind::kCorrupt, "aria2c gave the download no number", ""};
  return gid.get<std::string>();
}

Result<DownloadStatus> Rpc::status(const std::string& gid) const {
  const Json parameters =
      Json::array({gid, {"status", "completedLength", "errorCode", "errorMessage"}});
  SYNCLINE_ASSIGN(const std::string answer, call("aria2.tellStatus", parameters.dump()));
  const Json json = Json::parse(answer);
  if (!json.is_object()) return Error{ErrorKind::kCorrupt, "aria2c told no status", gid};
  DownloadStatus status;
  status.state = text_of(json, "status");
  status.completed_bytes = number_of(json, "completedLength");
  status.error_code = static_cast<int>(number_of(json, "errorCode"));
  status.error = text_of(json, "errorMessage");
  return status;
}

Result<std::map<std::string, std::uint64_t>> Rpc::speeds(const std::string& gid) const {
  SYNCLINE_ASSIGN(const std::string answer, call("aria2.getServers", Json::array({gid}).dump()));
  std::map<std::string, std::uint64_t> speeds;
  const Json json = Json::parse(answer);
  if (!json.is_array()) return speeds;
  for (const Json& file : json) {
    const auto servers = file.find("servers");
    if (servers == file.end() || !servers->is_array()) continue;
    for (const Json& server : *servers) {
      speeds[text_of(server, "uri")] += number_of(server, "downloadSpeed");
    }
  }
  return speeds;
}

core::Status Rpc::remove(const std::string& gid) const {
  SYNCLINE_TRY(call("aria2.forceRemove", Json::array({gid}).dump()));
  return {};
}

core::Status Rpc::change(const std::string& gid,
                         const std::map<std::string, std::string>& options) const {
  SYNCLINE_TRY(call("aria2.changeOption", Json::array({gid, options}).dump()));
  return {};
}

core::Status Rpc::forget(const std::string& gid) const {
  SYNCLINE_TRY(call("aria2.removeDownloadResult", Json::array({gid}).dump()));
  return {};
}

}  // namespace syncline::transports::aria2
