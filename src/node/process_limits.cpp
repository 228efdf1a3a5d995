#include "node/process_limits.hpp"

#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

namespace syncline::node {

namespace {

// A heap that grows by pages of 4 KiB costs a fault for each, microseconds on a virtual machine.
// The kernel is asked for pages of 2 MiB for its beginning: for these blocks, which the allocator
// keeps afterwards. Nothing of it counts as used before it is.
constexpr std::size_t kBlocks = 3;
constexpr std::size_t kBlockBytes = 16u << 20;
constexpr std::uintptr_t kHugePageBytes = 2u << 20;

void ask_for_huge_pages() {
  std::array<void*, kBlocks> blocks{};
  for (void*& block : blocks) block = std::malloc(kBlockBytes);
  const auto address = [](const void* block) { return reinterpret_cast<std::uintptr_t>(block); };
  const auto [lowest, highest] =
      std::minmax_element(blocks.begin(), blocks.end(),
                          [&](const void* a, const void* b) { return address(a) < address(b); });
  const std::uintptr_t first =
      (address(*lowest) + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
  const std::uintptr_t last = (address(*highest) + kBlockBytes) / kHugePageBytes * kHugePageBytes;
  // One after the other, as a fresh allocator gives them. A kernel that has none goes on as before.
  const bool is_one_range = address(*lowest) != 0 && last - first <= (kBlocks + 1) * kBlockBytes;
  if (is_one_range) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
  std::for_each(blocks.rbegin(), blocks.rend(), [](void* block) { std::free(block); });
}

// Programs that we start may look at each number below the limit: not more than is of use.
constexpr rlim_t kOpenFilesMax = 64 * 1024;
constexpr std::uint64_t kOpenFilesUsual = 1024;

// Each file that is being fetched is open. The usual soft limit, 1024, is for programs that call
// select(2).
std::uint64_t raise_limit_of_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kOpenFilesUsual;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, kOpenFilesMax));
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

}  // namespace

std::uint64_t set_process_limits() {
  ask_for_huge_pages();
  return raise_limit_of_files();
}

}  // namespace syncline::node
