#include "transports/nfs/storage_domain.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace syncline::transports::nfs {
namespace {

using core::Error;
using core::ErrorKind;

constexpr std::size_t kProcFileBytesMax = 16u << 20;
constexpr std::size_t kTokenCharactersMax = 128;

std::optional<std::string> read_small_file(const std::string& path, std::size_t bytes_max) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return std::nullopt;
  std::string text;
  char buffer[16384];
  while (text.size() < bytes_max) {
    const ssize_t n = ::read(fd, buffer, std::min(sizeof(buffer), bytes_max - text.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(fd);
  return text;
}

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= kTokenCharactersMax &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) || c == '.' || c == '_' || c == ':' || c == '-';
         });
}

// Empty where there is no token file, or one that holds something else.
std::string read_token(const std::string& folder) {
  const auto text = read_small_file(folder + '/' + kDomainTokenFile, kTokenCharactersMax + 16);
  if (!text) return {};
  std::string_view token = *text;
  while (!token.empty() && std::isspace(static_cast<unsigned char>(token.back()))) {
    token.remove_suffix(1);
  }
  return is_token(token) ? std::string(token) : std::string();
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

// The deepest folder of `path` that exists, with symbolic links resolved.
std::string nearest_existing(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  for (;;) {
    const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr),
                                                      &std::free);
    if (real) return real.get();
    if (path == "/") return path;
    path = parent_of(path);
  }
}

Error cannot(const std::string& doing, const std::string& subject, int code) {
  const ErrorKind kind = code == ENOSPC || code == EDQUOT ? ErrorKind::kExhausted
                         : code == ENOENT                 ? ErrorKind::kMissing
                                                          : ErrorKind::kInvalid;
  return {kind, "cannot " + doing + ": " + std::strerror(code), subject};
}

}  // namespace

core::Result<DomainSigns> domain_signs_of(const std::string& path, const std::string& host) {
  if (path.empty() || path[0] != '/') {
    return Error{ErrorKind::kInvalid, "a storage domain needs an absolute path", path};
  }
  const auto mountinfo = read_small_file("/proc/self/mountinfo", kProcFileBytesMax);
  if (!mountinfo) {
    return Error{ErrorKind::kMissing, "cannot read /proc/self/mountinfo; is /proc mounted?", path};
  }
  const std::string real = nearest_existing(path);
  DomainSigns signs;
  signs.host = host;
  signs.mount = mount_of(parse_mountinfo(*mountinfo), real);
  if (!signs.mount) {
    return Error{ErrorKind::kMissing, "no mounted file system holds this path", path};
  }
  if (is_nfs(*signs.mount)) {
    const auto volumes = read_small_file("/proc/fs/nfsfs/volumes", kProcFileBytesMax);
    if (volumes) signs.nfs_fsid = nfs_fsid_of(*volumes, signs.mount->device);
  }
  for (std::string folder = real;; folder = parent_of(folder)) {
    signs.token = read_token(folder);
    signs.token_folder = signs.token.empty() ? std::string() : folder;
    if (!signs.token.empty() || folder == signs.mount->mount_point || folder == "/") break;
  }
  return signs;
}

core::Result<std::string> storage_domain_of(const std::string& path, const std::string& host) {
  SYNCLINE_ASSIGN(const DomainSigns signs, domain_signs_of(path, host));
  return storage_domain_from(signs);
}

core::Result<std::string> ensure_domain_token(const std::string& folder, const std::string& token) {
  if (!is_token(token)) {
    return Error{ErrorKind::kInvalid,
                 "a domain token is 1 to 128 characters of letters, digits and . _ : -", token};
  }
  const std::string path = folder + '/' + kDomainTokenFile;
  const std::string fresh = path + ".tmp-" + token.substr(0, 32) + '-' + std::to_string(::getpid());
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return cannot("write the domain token", folder, errno);
  const std::string line = token + '\n';
  const bool is_written =
      ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
      ::fsync(fd) == 0;
  const int write_error = errno;
  ::close(fd);
  if (!is_written) {
    ::unlink(fresh.c_str());
    return cannot("write the domain token", folder, write_error);
  }
  // link() never replaces: of two nodes, the first wins and the second reads the winner's.
  const bool is_placed = ::link(fresh.c_str(), path.c_str()) == 0;
  const int link_error = errno;
  ::unlink(fresh.c_str());
  if (!is_placed && link_error != EEXIST)
    return cannot("place the domain token", folder, link_error);
  const std::string present = read_token(folder);
  if (present.empty()) {
    return Error{ErrorKind::kInvalid, "the domain token file holds no token; remove it", path};
  }
  return present;
}

}  // namespace syncline::transports::nfs
