// What is asked of each provider's metadata service, in which order, and what is remembered from
// one question to the next (AWS's token, Azure's name of this machine). No I/O: `ask` does it.
#pragma once

#include <memory>
#include <optional>

#include "core/result.hpp"
#include "spot/types.hpp"

namespace syncline::spot {

class Conversation {
 public:
  virtual ~Conversation() = default;

  virtual const char* provider() const = 0;  // "aws"
  // Is it this provider's service that answers, and is this a spot instance? None: no, or nobody
  // answers.
  virtual std::optional<Found> detect(const Ask& ask) = 0;
  // REQUIRES: detect() has found it.
  virtual core::Result<Signals> poll(const Ask& ask, core::WallMs now) = 0;
};

// AWS with tokens only (IMDSv2): the older way is open to forged requests and is often shut. In a
// container the service's hop limit must be 2, or it does not answer.
std::unique_ptr<Conversation> make_aws();
std::unique_ptr<Conversation> make_gcp();
std::unique_ptr<Conversation> make_azure();

}  // namespace syncline::spot
