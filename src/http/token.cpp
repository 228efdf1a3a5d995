#include "http/token.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/ids.hpp"

namespace syncline::http {
namespace {

constexpr std::size_t kTokenMin = 16;   // characters: shorter ones can be guessed
constexpr std::size_t kFileMax = 4096;  // a token is a line, not a file

core::Error error_of(const std::string& what, const std::string& path) {
  const auto kind = errno == ENOENT ? core::ErrorKind::kMissing : core::ErrorKind::kInvalid;
  return core::Error{kind, what + ": " + std::strerror(errno), path};
}

std::string trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos) return {};
  return std::string(text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1));
}

// Writes beside it and links it into place: of two daemons that start at once, one makes it and
// both read the same.
core::Status make_token(const std::string& path) {
  core::Digest256 random;
  if (RAND_bytes(random.bytes.data(), static_cast<int>(random.bytes.size())) != 1) {
    return core::Error{core::ErrorKind::kExhausted, "no random bytes for an API token", path};
  }
  const std::string text = core::to_hex(random) + "\n";
  const std::string draft = path + ".new." + std::to_string(getpid());
  const int fd = open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return error_of("cannot write the API token", draft);
  const auto size = static_cast<ssize_t>(text.size());
  const bool is_written = write(fd, text.data(), text.size()) == size && fsync(fd) == 0;
  const bool is_closed = close(fd) == 0;
  const bool is_placed =
      is_written && is_closed && (link(draft.c_str(), path.c_str()) == 0 || errno == EEXIST);
  core::Status status;
  if (!is_placed) status = error_of("cannot write the API token", path);
  unlink(draft.c_str());
  return status;
}

}  // namespace

core::Result<std::string> read_token(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return error_of("cannot read the API token", path);
  struct stat info {};
  std::array<char, kFileMax> buffer{};
  const bool has_info = fstat(fd, &info) == 0;
  const ssize_t got = has_info ? read(fd, buffer.data(), buffer.size()) : -1;
  const core::Error failed = error_of("cannot read the API token", path);
  close(fd);
  if (got < 0) return failed;
  if ((info.st_mode & 077) != 0) {
    return core::Error{core::ErrorKind::kInvalid,
                       "the API token can be read by others: chmod 600 the file", path};
  }
  std::string token = trimmed(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
  if (token.size() < kTokenMin) {
    return core::Error{core::ErrorKind::kInvalid,
                       "the API token is shorter than 16 characters: write a longer one", path};
  }
  return token;
}

core::Result<std::string> read_or_make_token(const std::string& path) {
  auto token = read_token(path);
  if (token.ok() || token.error().kind != core::ErrorKind::kMissing) return token;
  SYNCLINE_TRY(make_token(path));
  return read_token(path);
}

bool is_same_token(std::string_view given, std::string_view expected) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> a{};
  std::array<unsigned char, SHA256_DIGEST_LENGTH> b{};
  SHA256(reinterpret_cast<const unsigned char*>(given.data()), given.size(), a.data());
  SHA256(reinterpret_cast<const unsigned char*>(expected.data()), expected.size(), b.data());
  return !expected.empty() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view bearer_of(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!authorization.starts_with(kScheme)) return {};
  return authorization.substr(kScheme.size());
}

}  // namespace syncline::http
