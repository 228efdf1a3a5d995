// The HTTP server of a daemon: one listener per entry of node.http_listen, all with the same
// routes.
//
// Listeners, as written in http_listen (paths are absolute after the configuration is loaded):
//   unix:PATH              Unix socket, mode 0600: whoever may open it may do everything
//   HOST:PORT, [V6]:PORT   TCP, plain: "Authorization: Bearer <token>" with the content of
//                          api.token_file, which is made (0600, random) if it is not there. Without
//                          api.token_file a loopback listener uses <state_dir>/api.token, and any
//                          other refuses to start.
//   open:HOST:PORT         TCP on a loopback address, no token: everyone on this machine may do
//                          everything. Requests with a foreign Host or Origin are refused.
//   tls:HOST:PORT          TLS 1.3: a client certificate of this fleet's CA, or the token
// /healthz, /readyz and the page at / (which holds no data) need no token.
//
// Threads: start and stop from one thread; the server owns its threads. The Api must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/result.hpp"
#include "http/api.hpp"

namespace syncline::http {

// PEM files for tls: listeners; empty where no such listener is configured.
struct TlsFiles {
  std::string certificate;
  std::string key;
  std::string authority;  // the fleet's CA
};

// Bounds on what callers can make the daemon hold at once. Connections wait in the kernel for a
// free thread; beyond the other bounds the answer is 503 with Retry-After.
struct ServerLimits {
  std::size_t connections_max = 128;       // per listener; each holds one thread while served
  std::size_t followers_max = 24;          // event streams open at once
  std::size_t long_calls_max = 32;         // sync, flush, verify, routes under way
  std::size_t ranges_max = 8;              // ranges in one request for an object
  std::int64_t write_timeout_ms = 30'000;  // a reader that takes nothing for so long is dropped
};

class Server {
 public:
  // Binds every listener, then serves; all or nothing. Errors name the listener and what to do:
  // kInvalid: malformed address, no token where one is needed; kConflict: somebody serves there.
  static core::Result<std::unique_ptr<Server>> start(const core::Config& config, Api& api,
                                                     const TlsFiles& tls = {},
                                                     const ServerLimits& limits = {});
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Closes the listeners, ends event streams, waits for the calls under way, removes the sockets.
  // Calls that block in the Api must be cancelled by its owner first.
  void stop();

  // Where it listens, with real port numbers where ":0" was asked for:
  // "unix:/…/api.sock", "http://127.0.0.1:8751", "https://0.0.0.0:8752".
  std::vector<std::string> addresses() const;

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace syncline::http
