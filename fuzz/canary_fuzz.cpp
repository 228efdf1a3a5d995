// A planted bug: behind three right letters it reads one byte too far. It must be found.
#include <cstddef>
#include <cstdint>
#include <memory>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3 || data[0] != 'b' || data[1] != 'u' || data[2] != 'g') return 0;
  const std::unique_ptr<std::uint8_t[]> copy(new std::uint8_t[size]);
  for (std::size_t i = 0; i < size; ++i) copy[i] = data[i];
  volatile std::size_t beyond = size;
  [[maybe_unused]] volatile std::uint8_t read = copy[beyond];  // volatile: else it is never read
  return 0;
}
