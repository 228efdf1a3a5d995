#include "cli/config_file.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace syncline::cli {
namespace {

constexpr std::size_t kConfigBytesMax = 4 << 20;  // thousands of collections

std::string first_line_of(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

core::Result<std::string> read_text(const std::string& path, std::size_t bytes_max) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return core::Error{core::ErrorKind::kMissing,
                       std::string("cannot read the file: ") + std::strerror(errno), path};
  }
  std::string text;
  std::array<char, 65536> piece{};
  while (file.read(piece.data(), piece.size()) || file.gcount() > 0) {
    text.append(piece.data(), static_cast<std::size_t>(file.gcount()));
    if (text.size() > bytes_max) {
      return core::Error{core::ErrorKind::kInvalid,
                         "the file is larger than " + std::to_string(bytes_max) + " bytes", path};
    }
  }
  if (file.bad()) {
    return core::Error{core::ErrorKind::kMissing, "reading the file failed half way", path};
  }
  return text;
}

core::Result<core::Config> read_config(const Context& context, const std::string& path) {
  SYNCLINE_ASSIGN(const std::string text, read_text(path, kConfigBytesMax));
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  core::ConfigOverrides overrides;
  overrides.host_name = host.data();
  overrides.machine_id = first_line_of("/etc/machine-id");
  overrides.state_dir = context.environment("SYNCLINE_STATE_DIR");
  return core::parse_config(text, path, overrides);
}

}  // namespace syncline::cli
