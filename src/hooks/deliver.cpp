#include "hooks/deliver.hpp"

#include <httplib.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "env/subprocess.hpp"

namespace syncline::hooks {

using core::Error;
using core::ErrorKind;

namespace {

constexpr std::size_t kToldBytes = 200;  // of what a program says before it fails

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  text = text.substr(text.rfind('\n') + 1);
  return text.substr(0, kToldBytes);
}

core::Status run(const core::HookConfig& hook, const Notice& notice, const std::string& node,
                 int cancel_fd) {
  env::RunLimits limits;
  limits.time_max = core::seconds(hook.timeout_s);
  limits.cancel_fd = cancel_fd;
  env::Command command;
  command.argv = hook.run;
  command.environment = {"SYNCLINE_EVENT=" + notice.type, "SYNCLINE_NODE=" + node};
  SYNCLINE_ASSIGN(const env::Finished finished, env::run(command, notice.json + "\n", limits));
  if (finished.exit_code == 0) return {};
  const std::string said = last_line(finished.errors);
  return Error{
      ErrorKind::kUnreachable,
      "it ended with " + std::to_string(finished.exit_code) + (said.empty() ? "" : ": " + said),
      hook.name};
}

core::Status post(const core::HookConfig& hook, const Notice& notice, const std::string& node,
                  const std::string& secret) {
  const std::size_t host = hook.post.find("://") + 3;
  const std::size_t slash = hook.post.find('/', host);
  const std::string path = slash == std::string::npos ? "/" : hook.post.substr(slash);
  httplib::Client client(hook.post.substr(0, slash));
  if (!client.is_valid()) {
    return Error{ErrorKind::kInvalid, "its URL cannot be used", hook.name};
  }
  const core::Duration timeout = core::seconds(hook.timeout_s);
  client.set_connection_timeout(timeout);
  client.set_read_timeout(timeout);
  client.set_write_timeout(timeout);
  httplib::Headers headers{{"X-Syncline-Event", notice.type}, {"X-Syncline-Node", node}};
  if (!secret.empty()) {
    headers.emplace("X-Syncline-Signature", signature(secret, notice.json));
  }
  const httplib::Result answer = client.Post(path, headers, notice.json, "application/json");
  if (!answer) {
    return Error{ErrorKind::kUnreachable, "no answer: " + httplib::to_string(answer.error()),
                 hook.name};
  }
  if (answer->status >= 200 && answer->status < 300) return {};
  return Error{ErrorKind::kUnreachable, "it answered " + std::to_string(answer->status), hook.name};
}

}  // namespace

std::string signature(const std::string& secret, const std::string& body) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(body.data()), body.size(), mac, &size);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text = "sha256=";
  for (unsigned int i = 0; i < size; ++i) text += {kHex[mac[i] >> 4], kHex[mac[i] & 15]};
  return text;
}

core::Status deliver(const core::HookConfig& hook, const Notice& notice, const std::string& node,
                     const std::string& secret, int cancel_fd) {
  return hook.run.empty() ? post(hook, notice, node, secret) : run(hook, notice, node, cancel_fd);
}

}  // namespace syncline::hooks
