// The few questions we ask of etcd, over its JSON gateway (v3 API, etcd 3.4 and later).
//
// Each call tries the endpoints in turn, the last good one first, and blocks for at most
// timeout_ms each. Threads: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/result.hpp"

namespace syncline::etcd {

struct Lease {
  std::int64_t id = 0;
  std::int64_t ttl_s = 0;  // 0: it has ended
};

// What stands under a key.
struct Value {
  std::string text;                   // empty: nothing
  std::uint64_t create_revision = 0;  // grows over the whole cluster with each that is created
  std::int64_t lease = 0;             // it goes with
};

class Client {
 public:
  explicit Client(core::EtcdConfig config) : config_(std::move(config)) {}

  // kUnreachable: no endpoint answered, or the cluster has no quorum. kMissing: no such lease.
  core::Result<Lease> grant(std::int64_t ttl_s);
  core::Result<Lease> keep_alive(std::int64_t lease);
  core::Status revoke(std::int64_t lease);
  // Puts the text if nothing stands there; answers what stands there then.
  core::Result<Value> put_if_absent(const std::string& key, const std::string& text,
                                    std::int64_t lease);
  core::Result<Value> get(const std::string& key);

 private:
  core::Result<std::string> ask(const std::string& path, const std::string& body);
  core::Result<std::string> ask_one(const std::string& endpoint, const std::string& path,
                                    const std::string& body) const;

  const core::EtcdConfig config_;
  std::size_t first_ = 0;  // the endpoint that answered last
};

}  // namespace syncline::etcd
