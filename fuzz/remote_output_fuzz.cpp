// What find and rsync write on a host that we log in to: cut anywhere, it is read or refused, and
// no name that leaves the root comes through.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "transports/ssh/list_output.hpp"
#include "transports/ssh/rsync.hpp"
#include "transports/ssh/safe_path.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace syncline::transports::ssh;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = text.empty() ? 0 : data[0] % text.size();
  ListOutput list(ListLimits{100, 64 * 1024});
  RsyncOutput progress;
  bool is_good = true;
  for (const std::string_view part : {text.substr(0, cut), text.substr(cut)}) {
    is_good = is_good && list.take(part).ok();
    (void)progress.take(part);
  }
  (void)progress.wire_bytes(Direction::kFetch);
  if (!is_good) return 0;
  const auto files = list.finish();
  if (!files.ok()) return 0;
  if (files->size() > 100) std::abort();
  for (const RemoteFile& file : *files) {
    if (!is_safe_path(file.path)) std::abort();
  }
  return 0;
}
