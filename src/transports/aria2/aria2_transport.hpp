// aria2: ranges of one object from several holders at once, over HTTPS with the certificates of the
// fleet. The bytes are moved by aria2c, which is watched over by Aria2c.
//
// The staged file is written in place; after success the destination verifies all of it. Resumes by
// aria2's control file, which is made from what the destination has where there is none.
// Whom of several to blame for wrong bytes is not known: then nobody is named.
// Threads: as transport.hpp says; one thread per job.
#pragma once

#include <memory>
#include <string>

#include "transports/aria2/aria2c.hpp"
#include "transports/jobs.hpp"
#include "transports/transport.hpp"

namespace syncline::transports::aria2 {

class Aria2Transport final : public Transport {
 public:
  Aria2Transport(std::string folder, Certificates certificates)
      : aria2c_(std::move(folder), std::move(certificates)) {}
  ~Aria2Transport() override { close(); }

  transfer::Transport name() const override { return transfer::Transport::kAria2; }
  std::string why_not(const FetchRequest& request) const override;
  double setup_seconds() const override;
  void fetch(FetchRequest request, FetchCallbacks callbacks) override;
  void cancel(std::uint64_t job) override { jobs_.cancel(job); }
  void pace(std::uint64_t job, double mbps) override { jobs_.pace(job, mbps); }
  void close() override;

  Aria2c& program() { return aria2c_; }

 private:
  FetchOutcome work(Job& job);
  core::Status download(Job& job, const Destination& destination, FetchOutcome& outcome);

  Aria2c aria2c_;
  Jobs jobs_;
};

}  // namespace syncline::transports::aria2
