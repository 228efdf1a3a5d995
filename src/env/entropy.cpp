#include "env/entropy.hpp"

#include <sys/random.h>

#include <cstring>

#include "core/check.hpp"

namespace syncline::env {

std::string random_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t got = getrandom(bytes.data() + filled, size - filled, 0);
    SYNCLINE_CHECK(got > 0, "getrandom gave nothing");
    filled += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::uint64_t random_u64() {
  std::uint64_t value = 0;
  const std::string bytes = random_bytes(sizeof(value));
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

}  // namespace syncline::env
