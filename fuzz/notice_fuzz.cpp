// What a provider's metadata service answers: never more than one believes it to say.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "spot/metadata.hpp"
#include "spot/wall_time.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace syncline;
  spot::Answer answer;
  answer.status = 200;
  answer.body.assign(reinterpret_cast<const char*>(data), size);
  const core::WallMs now{1'700'000'000'000};
  (void)spot::aws_token(answer).ok();
  (void)spot::aws_is_spot(answer);
  (void)spot::aws_instance_action(answer, now).ok();
  (void)spot::aws_rebalance(answer).ok();
  (void)spot::gcp_is_spot(answer);
  (void)spot::gcp_preempted(answer).ok();
  (void)spot::azure_compute(answer);
  (void)spot::azure_events(answer, "vm", now).ok();
  (void)spot::parse_iso_time(answer.body);
  (void)spot::parse_http_time(answer.body);
  return 0;
}
