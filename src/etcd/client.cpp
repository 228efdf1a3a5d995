#include "etcd/client.hpp"

#include <httplib.h>
#include <openssl/evp.h>

#include <nlohmann/json.hpp>

#include "core/time.hpp"

namespace syncline::etcd {

using core::Error;
using core::ErrorKind;
using core::Result;
using Json = nlohmann::json;

namespace {

constexpr std::size_t kAnswerBytesMax = 1u << 20;
constexpr const char* kNoAnswer = "no answer: ";
constexpr int kNotFound = 5;  // gRPC's codes

std::string base64(const std::string& bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::string from_base64(const std::string& text) {
  std::string out(3 * text.size() / 4 + 3, '\0');
  int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                             reinterpret_cast<const unsigned char*>(text.data()),
                             static_cast<int>(text.size()));
  for (std::size_t i = text.size(); size > 0 && i > 0 && text[i - 1] == '='; --i) --size;
  out.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return out;
}

// The gateway writes 64-bit numbers as strings, and leaves out zeros.
std::int64_t number(const Json& object, const char* name) {
  const auto at = object.find(name);
  if (at == object.end()) return 0;
  if (at->is_number_integer()) return at->get<std::int64_t>();
  if (!at->is_string()) return 0;
  return std::strtoll(at->get_ref<const std::string&>().c_str(), nullptr, 10);
}

Result<Json> parse(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_object()) return json;
  return Error{ErrorKind::kCorrupt, "it answered what is no JSON object", ""};
}

Value value_of(const Json& range) {
  Value value;
  const auto kvs = range.find("kvs");
  if (kvs == range.end() || !kvs->is_array() || kvs->empty()) return value;
  const Json& kv = kvs->front();
  const auto text = kv.find("value");
  if (text != kv.end() && text->is_string()) value.text = from_base64(text->get<std::string>());
  value.create_revision = static_cast<std::uint64_t>(number(kv, "create_revision"));
  value.lease = number(kv, "lease");
  return value;
}

Result<Lease> lease_of(const Json& json) {
  return Lease{number(json, "ID"), number(json, "TTL")};
}

Error error_of(const std::string& endpoint, int status, const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  std::string said = "it answered " + std::to_string(status);
  ErrorKind kind = ErrorKind::kUnreachable;
  if (json.is_object()) {
    const auto words = json.find("error");
    if (words != json.end() && words->is_string()) said = words->get<std::string>();
    if (number(json, "code") == kNotFound) kind = ErrorKind::kMissing;
  }
  return {kind, said, endpoint};
}

}  // namespace

Result<std::string> Client::ask_one(const std::string& endpoint, const std::string& path,
                                    const std::string& body) const {
  const bool has_own = !config_.cert_file.empty();
  httplib::Client http = has_own ? httplib::Client(endpoint, config_.cert_file, config_.key_file)
                                 : httplib::Client(endpoint);
  if (!http.is_valid()) {
    return Error{ErrorKind::kInvalid, "the endpoint's URL or certificate cannot be used", endpoint};
  }
  if (!config_.ca_file.empty()) {
    http.set_ca_cert_path(config_.ca_file.c_str());
    http.enable_server_certificate_verification(true);
  }
  const core::Duration timeout = core::milliseconds(config_.timeout_ms);
  http.set_connection_timeout(timeout);
  http.set_read_timeout(timeout);
  http.set_write_timeout(timeout);
  httplib::Request request;
  request.method = "POST";
  request.path = path;
  request.body = body;
  request.headers = {{"Content-Type", "application/json"}};
  std::string answer;
  request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    if (answer.size() + size > kAnswerBytesMax) return false;
    answer.append(data, size);
    return true;
  };
  const httplib::Result result = http.send(request);
  // The gateway ends its errors with HTTP trailers, which the library takes for a broken answer:
  // what it said has come all the same.
  if (!result && !answer.empty()) return error_of(endpoint, 0, answer);
  if (!result) {
    return Error{ErrorKind::kUnreachable, kNoAnswer + httplib::to_string(result.error()), endpoint};
  }
  if (result->status != 200) {
    return error_of(endpoint, result->status, answer.empty() ? result->body : answer);
  }
  return answer;
}

Result<std::string> Client::ask(const std::string& path, const std::string& body) {
  Error last{ErrorKind::kInvalid, "no endpoint is configured", ""};
  for (std::size_t i = 0; i < config_.endpoints.size(); ++i) {
    const std::size_t at = (first_ + i) % config_.endpoints.size();
    auto answer = ask_one(config_.endpoints[at], path, body);
    if (answer.ok() || answer.error().kind == ErrorKind::kMissing) {
      first_ = at;
      return answer;
    }
    // What a member says tells more than that another one is away.
    if (i == 0 || last.what.rfind(kNoAnswer, 0) == 0) last = answer.error();
  }
  return last;
}

Result<Lease> Client::grant(std::int64_t ttl_s) {
  SYNCLINE_ASSIGN(const std::string text,
                  ask("/v3/lease/grant", Json{{"TTL", std::to_string(ttl_s)}}.dump()));
  SYNCLINE_ASSIGN(const Json json, parse(text));
  return lease_of(json);
}

Result<Lease> Client::keep_alive(std::int64_t lease) {
  SYNCLINE_ASSIGN(const std::string text,
                  ask("/v3/lease/keepalive", Json{{"ID", std::to_string(lease)}}.dump()));
  SYNCLINE_ASSIGN(const Json json, parse(text));
  const auto result = json.find("result");  // one message of a stream
  if (result == json.end()) return error_of("", 200, text);
  return lease_of(*result);
}

core::Status Client::revoke(std::int64_t lease) {
  SYNCLINE_TRY(ask("/v3/lease/revoke", Json{{"ID", std::to_string(lease)}}.dump()));
  return {};
}

Result<Value> Client::put_if_absent(const std::string& key, const std::string& text,
                                    std::int64_t lease) {
  const Json range = {{"request_range", {{"key", base64(key)}}}};
  const Json put = {
      {"request_put",
       {{"key", base64(key)}, {"value", base64(text)}, {"lease", std::to_string(lease)}}}};
  const Json compare = {
      {"key", base64(key)}, {"target", "CREATE"}, {"result", "EQUAL"}, {"create_revision", "0"}};
  const Json body = {{"compare", Json::array({compare})},
                     {"success", Json::array({put, range})},
                     {"failure", Json::array({range})}};
  SYNCLINE_ASSIGN(const std::string answer, ask("/v3/kv/txn", body.dump()));
  SYNCLINE_ASSIGN(const Json json, parse(answer));
  const auto responses = json.find("responses");
  if (responses == json.end() || !responses->is_array() || responses->empty() ||
      !responses->back().contains("response_range")) {
    return Error{ErrorKind::kCorrupt, "its answer to a transaction lacks the range", key};
  }
  return value_of(responses->back()["response_range"]);
}

Result<Value> Client::get(const std::string& key) {
  SYNCLINE_ASSIGN(const std::string text, ask("/v3/kv/range", Json{{"key", base64(key)}}.dump()));
  SYNCLINE_ASSIGN(const Json json, parse(text));
  return value_of(json);
}

}  // namespace syncline::etcd
