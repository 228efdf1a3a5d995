// Schedules of the configuration: what is understood means the same when it is written anew, and
// its next change is found.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "scheduling/time_of_day.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace syncline;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto schedule = scheduling::parse_schedule(text, {"models", "npz"});
  if (!schedule.ok()) return 0;
  const auto again =
      scheduling::parse_schedule(scheduling::to_string(*schedule), {"models", "npz"});
  if (!again.ok() || !(*again == *schedule)) std::abort();
  const scheduling::LocalTime now{{1'700'000'000'000}, 60};
  (void)scheduling::holds(*schedule, now);
  const auto change = scheduling::until_change({*schedule}, now);
  if (change && change->count() <= 0) std::abort();
  return 0;
}
