#include "env/config_file.hpp"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "env/files.hpp"

namespace syncline::env {

namespace {
constexpr std::size_t kConfigBytesMax = 4u << 20;
}

std::string host_name() {
  char name[HOST_NAME_MAX + 1] = {};
  if (::gethostname(name, sizeof(name) - 1) != 0) return {};
  return name;
}

core::Result<core::Config> load_config(const std::string& path) {
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) {
    return core::Error{core::ErrorKind::kMissing,
                       "there is no configuration there; `syncline init` writes one, --config or "
                       "SYNCLINE_CONFIG names another",
                       path};
  }
  const std::string absolute = resolved;
  ::free(resolved);
  SYNCLINE_ASSIGN(const std::string text, read_file(absolute, kConfigBytesMax));
  core::ConfigOverrides overrides;
  overrides.host_name = host_name();
  if (auto id = read_file("/etc/machine-id", 256); id.ok()) {
    overrides.machine_id = id->substr(0, id->find_first_of(" \n"));
    if (!overrides.machine_id.empty()) overrides.machine_id += "/" + overrides.host_name;
  }
  if (const char* state = ::getenv("SYNCLINE_STATE_DIR")) overrides.state_dir = state;
  return core::parse_config(text, absolute, overrides);
}

}  // namespace syncline::env
