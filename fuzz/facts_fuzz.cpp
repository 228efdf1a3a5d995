// Facts of the catalog come from peers: whatever a key or value is, what is understood says the
// same again when it is written anew.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "catalog/views.hpp"
#include "core/ranges.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace syncline;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto log = catalog::parse_log_key(text)) {
    if (catalog::parse_log_key(catalog::log_key(*log)) != log) std::abort();
  }
  if (const auto object = catalog::parse_object_key(text)) {
    if (catalog::parse_object_key(catalog::object_key(object->first, object->second)) != object) {
      std::abort();
    }
  }
  if (const auto name = catalog::parse_fingerprint_key(text)) {
    if (catalog::parse_fingerprint_key(catalog::fingerprint_key(*name)) != name) std::abort();
  }
  if (const auto seqs = core::parse_seq_set(text)) {
    if (core::parse_seq_set(core::to_string(*seqs)) != seqs) std::abort();
  }
  const auto self = catalog::decode_node_self(text);
  if (self.ok()) {
    const auto again = catalog::decode_node_self(catalog::encode(*self));
    if (!again.ok() || !(*again == *self)) std::abort();
  }
  return 0;
}
