#include "transports/ssh/login.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "core/sha256.hpp"
#include "env/files.hpp"
#include "env/subprocess.hpp"

namespace syncline::transports::ssh {

using core::Error;
using core::ErrorKind;
using core::Result;
using core::Status;

namespace {

// sun_path holds 108 bytes with its zero; ssh adds a dot and 16 characters while it makes one.
constexpr std::size_t kSocketPathMax = 107 - 17;
constexpr std::size_t kNameBytes = 16;
// A dead connection is noticed by its master within three of these.
constexpr int kAliveSeconds = 15;

Error unfit(const std::string& what, const std::string& text) {
  return {ErrorKind::kInvalid,
          what +
              " cannot be used for SSH: it holds a character that an ssh "
              "configuration cannot carry",
          text};
}

bool is_plain_word(const std::string& text) {
  return !text.empty() && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_' || c == ':';
         });
}

bool is_fit_path(const std::string& path) {
  return path.find_first_of("\"\\\n\r") == std::string::npos &&
         path.find("${") == std::string::npos && path.find('\0') == std::string::npos;
}

// Quoted, and without ssh's own meaning of '%'.
std::string config_path(const std::string& path) {
  std::string out = "\"";
  for (const char c : path) {
    if (c == '%') out += '%';
    out += c;
  }
  return out + "\"";
}

}  // namespace

Status check(const SshEndpoint& endpoint) {
  if (!is_plain_word(endpoint.host)) return unfit("the host name", endpoint.host);
  if (!endpoint.user.empty() && !is_plain_word(endpoint.user)) {
    return unfit("the user name", endpoint.user);
  }
  if (!is_fit_path(endpoint.key_file)) return unfit("the key file", endpoint.key_file);
  if (!is_fit_path(endpoint.known_hosts_file)) {
    return unfit("the file of known hosts", endpoint.known_hosts_file);
  }
  if (endpoint.root.empty() || endpoint.root.front() != '/') {
    return Error{ErrorKind::kInvalid, "the root over there must be an absolute path",
                 endpoint.root};
  }
  return {};
}

std::string ssh_config(const SshEndpoint& endpoint, const std::string& control_path) {
  std::string text = std::string("Host ") + kPeer + "\n";
  const auto add = [&](const std::string& line) { text += "  " + line + "\n"; };
  add("HostName " + endpoint.host);
  add("Port " + std::to_string(endpoint.port));
  if (!endpoint.user.empty()) add("User " + endpoint.user);
  if (!endpoint.key_file.empty()) {
    add("IdentityFile " + config_path(endpoint.key_file));
    add("IdentitiesOnly yes");
  }
  if (!endpoint.known_hosts_file.empty()) {
    add("UserKnownHostsFile " + config_path(endpoint.known_hosts_file));
    add("GlobalKnownHostsFile none");
  }
  add("StrictHostKeyChecking yes");
  add("UpdateHostKeys no");
  add("BatchMode yes");
  add("ControlMaster auto");
  add("ControlPath " + config_path(control_path));
  add("ControlPersist 60");
  add("ServerAliveInterval " + std::to_string(kAliveSeconds));
  add("ServerAliveCountMax 3");
  add("ForwardAgent no");
  add("ForwardX11 no");
  add("ClearAllForwardings yes");
  add("RequestTTY no");
  add("LogLevel ERROR");
  return text;
}

std::string shell_quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

Logins::Logins(std::string folder) : folder_(std::move(folder)) {}
Logins::~Logins() {
  close();
}

Status Logins::make_folders() {
  if (!sockets_.empty()) return {};
  if (!is_fit_path(folder_)) return unfit("the state folder", folder_);
  SYNCLINE_TRY(env::make_folders(folder_, 0700));
  if (::chmod(folder_.c_str(), 0700) != 0) {
    return env::system_error("closing to others", folder_, errno);
  }
  if (folder_.size() + 1 + kNameBytes <= kSocketPathMax) {
    sockets_ = folder_;
    return {};
  }
  std::string name = "/tmp/syncline-ssh-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) return env::system_error("creating", name, errno);
  sockets_ = name;
  owns_sockets_ = true;
  return {};
}

Result<std::string> Logins::config_file(const SshEndpoint& endpoint) {
  SYNCLINE_TRY(check(endpoint));
  const std::lock_guard lock(mutex_);
  SYNCLINE_TRY(make_folders());
  const std::string name =
      core::to_hex(core::sha256(ssh_config(endpoint, sockets_))).substr(0, kNameBytes);
  const std::string path = folder_ + "/" + name + ".conf";
  if (configs_.count(path) == 0) {
    SYNCLINE_TRY(env::write_file_atomic(path, ssh_config(endpoint, sockets_ + "/" + name), 0600));
    configs_.insert(path);
  }
  return path;
}

Result<std::vector<std::string>> Logins::command(const SshEndpoint& endpoint,
                                                 core::Duration connect_timeout) {
  const std::string program = env::find_program("ssh");
  if (program.empty()) {
    return Error{ErrorKind::kInvalid, "there is no ssh on this node: install openssh-client", ""};
  }
  SYNCLINE_ASSIGN(const std::string config, config_file(endpoint));
  const auto limit_s = std::chrono::ceil<std::chrono::seconds>(connect_timeout).count();
  return std::vector<std::string>{
      program, "-F", config, "-o",
      "ConnectTimeout=" + std::to_string(std::max<std::int64_t>(limit_s, 1))};
}

void Logins::close() {
  const std::lock_guard lock(mutex_);
  for (const std::string& config : configs_) {
    env::RunLimits limits;
    limits.time_max = core::seconds(2);
    // Without a connection it says so and fails: either way there is none afterwards.
    (void)env::run({{"ssh", "-F", config, "-O", "exit", kPeer}, {}, ""}, "", limits);
    ::unlink(config.c_str());
  }
  configs_.clear();
  if (owns_sockets_) {
    std::error_code ignored;
    std::filesystem::remove_all(sockets_, ignored);
  }
  sockets_.clear();
  owns_sockets_ = false;
}

}  // namespace syncline::transports::ssh
