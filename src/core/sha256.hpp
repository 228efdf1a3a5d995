// SHA-256 (FIPS 180-4), by OpenSSL, which uses the processor's own instructions where it has them.
// Threads: objects are independent; the free functions are thread-safe.
#pragma once

#include <memory>
#include <string_view>

#include "core/ids.hpp"

namespace syncline::core {

Digest256 sha256(std::string_view bytes);

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::string_view bytes);
  Digest256 finish();  // and is ready for the next message

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace syncline::core
