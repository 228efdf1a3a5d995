// docs/configuration.md is what the table of settings says.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "core/config.hpp"

namespace syncline::core {
namespace {

TEST(ConfigurationPage, says_what_the_table_of_settings_says) {
  const std::string path = std::string(SYNCLINE_SOURCE_DIR) + "/docs/configuration.md";
  if (std::getenv("SYNCLINE_UPDATE_DOCS") != nullptr) {
    std::ofstream(path, std::ios::binary) << settings_as_markdown();
  }
  std::ifstream in(path, std::ios::binary);
  const std::string page(std::istreambuf_iterator<char>(in), {});
  EXPECT_TRUE(page == settings_as_markdown())
      << "run core_test once with SYNCLINE_UPDATE_DOCS=1 and commit docs/configuration.md";
}

}  // namespace
}  // namespace syncline::core
