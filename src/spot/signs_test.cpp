#include "spot/signs.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

namespace syncline::spot {
namespace {

Lookup environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) -> std::optional<std::string> {
    const auto it = variables.find(name);
    if (it == variables.end()) return std::nullopt;
    return it->second;
  };
}

TEST(Signs, knows_a_provider_by_the_variable_it_sets) {
  const auto vast = found_in_environment(environment({{"VAST_CONTAINERLABEL", "C.1234"}}));
  ASSERT_TRUE(vast);
  EXPECT_EQ(*vast, (Found{"vast", true, "environment variable VAST_CONTAINERLABEL"}));
  const auto runpod = found_in_environment(environment({{"RUNPOD_POD_ID", "ab12"}}));
  ASSERT_TRUE(runpod);
  EXPECT_EQ(runpod->provider, "runpod");
  EXPECT_TRUE(runpod->is_spot);
}

TEST(Signs, takes_no_empty_variable_and_no_other_one_for_a_sign) {
  EXPECT_FALSE(found_in_environment(environment({})));
  EXPECT_FALSE(found_in_environment(environment({{"VAST_CONTAINERLABEL", ""}})));
  EXPECT_FALSE(found_in_environment(
      environment({{"AWS_REGION", "us-east-1"}, {"HOSTNAME", "vast-7"}, {"CONTAINER_ID", "1"}})));
}

TEST(Signs, reads_the_environment_of_the_process) {
  ::setenv("SYNCLINE_SIGNS_TEST", "here", 1);
  EXPECT_EQ(process_environment()("SYNCLINE_SIGNS_TEST"), "here");
  ::unsetenv("SYNCLINE_SIGNS_TEST");
  EXPECT_FALSE(process_environment()("SYNCLINE_SIGNS_TEST"));
}

TEST(Signs, tells_the_provider_but_never_spot_from_the_makers_name) {
  const auto hetzner = found_in_vendor("Hetzner\n");
  ASSERT_TRUE(hetzner);
  EXPECT_EQ(hetzner->provider, "hetzner");
  EXPECT_FALSE(hetzner->is_spot);
  EXPECT_EQ(found_in_vendor("Vultr")->provider, "vultr");
  for (const char* other : {"", "\n", "QEMU", "Vultr Holdings", "hetzner", "Dell Inc."}) {
    EXPECT_FALSE(found_in_vendor(other)) << other;
  }
}

}  // namespace
}  // namespace syncline::spot
