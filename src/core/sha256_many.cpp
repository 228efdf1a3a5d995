#include "core/sha256_many.hpp"

#include "core/check.hpp"
#include "core/sha256.hpp"
#if SYNCLINE_MULTI_BUFFER
#include <intel-ipsec-mb.h>

#include <memory>
#endif

namespace syncline::core {

namespace {
#if SYNCLINE_MULTI_BUFFER
// As many as AVX-512 takes side by side. It takes as long for fewer: from half as many on it is
// faster than one after the other.
constexpr std::size_t kLanes = 16;
constexpr std::size_t kTogetherMin = kLanes / 2;

using Lanes = std::unique_ptr<IMB_MGR, void (*)(IMB_MGR*)>;

// Null where it cannot work: no memory, or a processor that lacks too much.
Lanes make_lanes() {
  Lanes lanes(::alloc_mb_mgr(0), &::free_mb_mgr);
  if (!lanes) return lanes;
  ::init_mb_mgr_auto(lanes.get(), nullptr);
  if (::imb_get_errno(lanes.get()) != 0) lanes.reset();
  return lanes;
}

// How many of the first messages were hashed: all of them have `message_bytes`.
std::size_t hash_together(std::string_view bytes, std::size_t message_bytes, Digest256* digests) {
  std::size_t count = bytes.size() / message_bytes;
  if (count % kLanes < kTogetherMin) count -= count % kLanes;
  if (count == 0) return 0;
  thread_local const Lanes lanes = make_lanes();
  if (!lanes) return 0;
  std::size_t done = 0;
  const auto came = [&done](const IMB_JOB* job) {
    if (job == nullptr) return false;
    SYNCLINE_CHECK(job->status == IMB_STATUS_COMPLETED, "hashing together ended with status",
                   static_cast<int>(job->status));
    ++done;
    return true;
  };
  for (std::size_t i = 0; i < count; ++i) {
    IMB_JOB* job = IMB_GET_NEXT_JOB(lanes.get());
    *job = IMB_JOB{};
    job->cipher_mode = IMB_CIPHER_NULL;
    job->cipher_direction = IMB_DIR_ENCRYPT;
    job->chain_order = IMB_ORDER_HASH_CIPHER;
    job->hash_alg = IMB_AUTH_SHA_256;
    job->src = reinterpret_cast<const std::uint8_t*>(bytes.data()) + i * message_bytes;
    job->msg_len_to_hash_in_bytes = message_bytes;
    job->auth_tag_output = digests[i].bytes.data();
    job->auth_tag_output_len_in_bytes = digests[i].bytes.size();
    came(IMB_SUBMIT_JOB(lanes.get()));
  }
  while (came(IMB_FLUSH_JOB(lanes.get()))) {
  }
  SYNCLINE_CHECK(done == count, "hashed together", done, "of", count);
  return count;
}
#else
std::size_t hash_together(std::string_view, std::size_t, Digest256*) {
  return 0;
}
#endif
}  // namespace

std::vector<Digest256> sha256_many(std::string_view bytes, std::size_t message_bytes) {
  SYNCLINE_CHECK(message_bytes > 0, "messages of", message_bytes, "bytes");
  std::vector<Digest256> digests((bytes.size() + message_bytes - 1) / message_bytes);
  for (std::size_t i = hash_together(bytes, message_bytes, digests.data()); i < digests.size();
       ++i) {
    digests[i] = sha256(bytes.substr(i * message_bytes, message_bytes));
  }
  return digests;
}

}  // namespace syncline::core
