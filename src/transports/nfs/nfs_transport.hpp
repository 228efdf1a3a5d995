// The transport between nodes of one machine, or of one storage that both mount at the same place:
// the file is copied by the kernel (local_copy.hpp) and verified. Nothing crosses the network.
//
// The first source whose root can be read is used. Threads: as transport.hpp says; one thread per
// job.
#pragma once

#include <string>

#include "transports/jobs.hpp"
#include "transports/transport.hpp"

namespace syncline::transports::nfs {

class NfsTransport final : public Transport {
 public:
  ~NfsTransport() override { close(); }

  transfer::Transport name() const override { return transfer::Transport::kNfs; }
  std::string why_not(const FetchRequest& request) const override;
  double setup_seconds() const override;
  void fetch(FetchRequest request, FetchCallbacks callbacks) override;
  void cancel(std::uint64_t job) override { jobs_.cancel(job); }
  void close() override { jobs_.close(); }

 private:
  static FetchOutcome work(Job& job);

  Jobs jobs_;
};

}  // namespace syncline::transports::nfs
