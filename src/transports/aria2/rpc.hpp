// JSON-RPC to our own aria2c on loopback: the few methods that we use.
//
// Threads: one object per thread. Errors: kUnreachable: aria2c does not answer (it died, or starts);
// kMissing: it does not know the download; kCorrupt: its answer cannot be understood.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/result.hpp"

namespace syncline::transports::aria2 {

struct RpcEndpoint {
  std::uint16_t port = 0;
  std::string secret;
};

struct DownloadStatus {
  std::string state;  // active, waiting, paused, error, complete, removed
  std::uint64_t completed_bytes = 0;
  std::uint64_t total_bytes = 0;
  int error_code = 0;  // of aria2c's manual, EXIT STATUS
  std::string error_message;
};

struct ServerRate {
  std::string url;  // as it was given
  double bytes_per_s = 0;
};

class Rpc {
 public:
  explicit Rpc(RpcEndpoint endpoint);
  ~Rpc();
  Rpc(const Rpc&) = delete;
  Rpc& operator=(const Rpc&) = delete;

  using Options = std::vector<std::pair<std::string, std::string>>;
  core::Result<std::string> version();
  // The download's number (gid).
  core::Result<std::string> add_uri(const std::vector<std::string>& urls, const Options& options);
  core::Result<DownloadStatus> tell_status(const std::string& gid);
  core::Result<std::vector<ServerRate>> servers(const std::string& gid);
  core::Status force_remove(const std::string& gid);  // returns before it is removed
  core::Status forget(const std::string& gid);        // an ended one
  core::Status force_shutdown();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace syncline::transports::aria2
