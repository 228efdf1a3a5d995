#include "http/server.hpp"

#include <httplib.h>

#include <set>
#include <thread>
#include <utility>

#include "http/listen_address.hpp"
#include "http/routes.hpp"
#include "http/socket_file.hpp"
#include "http/token.hpp"
#include "http/workers.hpp"

namespace syncline::http {
namespace {

constexpr int kBacklog = 256;           // connections that wait in the kernel
constexpr time_t kReadTimeoutSec = 10;  // between two reads of one request

struct Listener {
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() {
    if (bound_fd >= 0) ::close(bound_fd);
  }

  std::unique_ptr<SocketFile> socket_file;  // Unix sockets only
  std::unique_ptr<httplib::Server> server;
  int bound_fd = -1;  // ours until the server's loop runs, which then closes it
  std::string address;
  std::thread thread;
};

core::Error cannot_listen(const std::string& entry, const std::string& why) {
  return core::Error{core::ErrorKind::kConflict, "cannot listen: " + why,
                     "node.http_listen: " + entry};
}

// The token that this listener asks for. The open and Unix kinds have none.
core::Result<std::string> token_for(const ListenAddress& at, const core::Config& config,
                                    const std::string& entry) {
  if (at.kind == ListenerKind::kUnix || at.kind == ListenerKind::kOpen) return std::string();
  if (!config.api.token_file.empty()) return read_or_make_token(config.api.token_file);
  if (at.kind == ListenerKind::kTls) return std::string();
  if (is_loopback(at.host)) return read_or_make_token(config.node.state_dir + "/api.token");
  return core::Error{core::ErrorKind::kInvalid,
                     "a listener that other machines can reach needs a token: set api.token_file",
                     "node.http_listen: " + entry};
}

// TLS 1.3, our certificate, and a client's certificate checked if it sends one.
bool set_up_tls(SSL_CTX& context, const TlsFiles& files) {
  SSL_CTX_set_min_proto_version(&context, TLS1_3_VERSION);
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER, nullptr);
  return SSL_CTX_use_certificate_chain_file(&context, files.certificate.c_str()) == 1 &&
         SSL_CTX_use_PrivateKey_file(&context, files.key.c_str(), SSL_FILETYPE_PEM) == 1 &&
         SSL_CTX_check_private_key(&context) == 1 &&
         SSL_CTX_load_verify_locations(&context, files.authority.c_str(), nullptr) == 1;
}

core::Result<std::unique_ptr<httplib::Server>> make_server(const ListenAddress& at,
                                                           const TlsFiles& tls,
                                                           const std::string& entry) {
  if (at.kind != ListenerKind::kTls) return std::make_unique<httplib::Server>();
  std::unique_ptr<httplib::Server> server = std::make_unique<httplib::SSLServer>(
      [&tls](SSL_CTX& context) { return set_up_tls(context, tls); });
  if (!server->is_valid()) {
    return core::Error{core::ErrorKind::kInvalid,
                       "cannot use this node's certificate for tls: run 'syncline init' or 'join'",
                       "node.http_listen: " + entry};
  }
  return server;
}

void set_bounds(httplib::Server& server, const core::Config& config, const ServerLimits& limits) {
  // One request per connection: a refused request may leave its body unread, and an idle
  // connection would hold a thread.
  server.set_keep_alive_max_count(1);
  server.set_read_timeout(kReadTimeoutSec);
  server.set_write_timeout(limits.write_timeout_ms / 1000, limits.write_timeout_ms % 1000 * 1000);
  server.set_payload_max_length(static_cast<std::size_t>(config.api.request_max_bytes));
  const auto threads = limits.connections_max;
  server.new_task_queue = [threads] { return make_workers(threads); };
}

core::Status bind_unix(Listener& listener, const std::string& path) {
  SYNCLINE_ASSIGN(listener.socket_file, SocketFile::prepare(path));
  httplib::Server& server = *listener.server;
  server.set_address_family(AF_UNIX);
  int fd = -1;
  server.set_socket_options([&fd](int socket) {
    fd = socket;
    make_private(socket);
  });
  const bool is_bound = server.bind_to_port(listener.socket_file->short_path(), 1);
  server.set_socket_options(nullptr);
  if (!is_bound) return cannot_listen("unix:" + path, std::strerror(errno));
  listener.bound_fd = fd;
  ::listen(fd, kBacklog);
  listener.address = "unix:" + path;
  return listener.socket_file->adopt();
}

core::Status bind_tcp(Listener& listener, const ListenAddress& at, const std::string& entry) {
  httplib::Server& server = *listener.server;
  int fd = -1;
  server.set_socket_options([&fd](int socket) {
    fd = socket;
    const int yes = 1;
    // Not SO_REUSEPORT, which the library would set: two daemons would share the port unnoticed.
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
  errno = 0;
  const int port = at.port == 0                            ? server.bind_to_any_port(at.host)
                   : server.bind_to_port(at.host, at.port) ? at.port
                                                           : -1;
  server.set_socket_options(nullptr);
  if (port < 0) return cannot_listen(entry, errno != 0 ? std::strerror(errno) : "no such address");
  listener.bound_fd = fd;
  ::listen(fd, kBacklog);
  listener.address =
      (at.kind == ListenerKind::kTls ? "https://" : "http://") + host_and_port(at.host, port);
  return {};
}

}  // namespace

struct Server::State {
  State(Api& api, const ServerLimits& limits) : shared(api, limits) {}
  Shared shared;
  std::vector<std::unique_ptr<Listener>> listeners;
  bool is_stopped = false;
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() {
  stop();
}

core::Result<std::unique_ptr<Server>> Server::start(const core::Config& config, Api& api,
                                                    const TlsFiles& tls,
                                                    const ServerLimits& limits) {
  auto state = std::make_unique<State>(api, limits);
  state->shared.request_max_bytes = config.api.request_max_bytes;
  state->shared.sync_timeout_s = static_cast<double>(config.api.sync_timeout_s);
  std::set<std::string> entries;
  for (const std::string& entry : config.node.http_listen) {
    if (!entries.insert(entry).second) continue;  // written twice: meant once
    SYNCLINE_ASSIGN(const auto at, parse_listen_address(entry));
    SYNCLINE_ASSIGN(const auto token, token_for(at, config, entry));
    auto listener = std::make_unique<Listener>();
    SYNCLINE_ASSIGN(listener->server, make_server(at, tls, entry));
    set_bounds(*listener->server, config, limits);
    guard(*listener->server, AccessRules{at.kind, token}, config.api.request_max_bytes);
    add_routes(*listener->server, state->shared);
    SYNCLINE_TRY(at.kind == ListenerKind::kUnix ? bind_unix(*listener, at.path)
                                                : bind_tcp(*listener, at, entry));
    state->listeners.push_back(std::move(listener));
  }
  for (const auto& listener : state->listeners) {
    httplib::Server* server = listener->server.get();
    listener->bound_fd = -1;
    listener->thread = std::thread([server] { server->listen_after_bind(); });
    // The library's stop() does nothing before its loop runs.
    while (!server->is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

void Server::stop() {
  if (std::exchange(state_->is_stopped, true)) return;
  state_->shared.is_stopping = true;
  for (const auto& listener : state_->listeners) listener->server->stop();
  for (const auto& listener : state_->listeners) listener->thread.join();
  state_->listeners.clear();
}

std::vector<std::string> Server::addresses() const {
  std::vector<std::string> out;
  for (const auto& listener : state_->listeners) out.push_back(listener->address);
  return out;
}

}  // namespace syncline::http
