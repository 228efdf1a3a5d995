// aria2's JSON-RPC, as far as transfers need it. Source: aria2c(1), "RPC INTERFACE".
//
// Threads: all functions from any thread; one connection per call.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace syncline::transports::aria2 {

struct RpcEndpoint {
  std::uint16_t port = 0;  // on loopback
  std::string secret;
};

// A download as aria2 sees it.
struct DownloadStatus {
  std::string state;  // active | waiting | paused | error | complete | removed
  std::uint64_t completed_bytes = 0;
  int error_code = 0;  // "EXIT STATUS" of the manual; 0 = none
  std::string error;
};

// kUnreachable: no answer; kInvalid: it refused the call; kCorrupt: it answered nonsense.
class Rpc {
 public:
  Rpc(RpcEndpoint endpoint, core::Duration timeout)
      : endpoint_(std::move(endpoint)), timeout_(timeout) {}

  core::Result<std::string> version() const;
  // One file from any of these URLs; answers its gid.
  core::Result<std::string> add(const std::vector<std::string>& urls,
                                const std::map<std::string, std::string>& options) const;
  core::Result<DownloadStatus> status(const std::string& gid) const;
  // URL -> bytes per second from it right now.
  core::Result<std::map<std::string, std::uint64_t>> speeds(const std::string& gid) const;
  // Of one that runs, without a break.
  core::Status change(const std::string& gid,
                      const std::map<std::string, std::string>& options) const;
  core::Status remove(const std::string& gid) const;  // stops it; what came stays on the disk
  core::Status forget(const std::string& gid) const;  // an ended one

 private:
  core::Result<std::string> call(const std::string& method, const std::string& parameters) const;

  const RpcEndpoint endpoint_;
  const core::Duration timeout_;
};

}  // namespace syncline::transports::aria2
