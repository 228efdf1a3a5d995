#include "http/socket_file.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace syncline::http {
namespace {

core::Error error_at(core::ErrorKind kind, const std::string& what, const std::string& path) {
  return core::Error{kind, what, path};
}

bool is_served(const std::string& short_path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, short_path.c_str(), sizeof(address.sun_path) - 1);
  const bool is_connected =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return is_connected;
}

}  // namespace

core::Result<std::unique_ptr<ShortSocketPath>> ShortSocketPath::open(const std::string& path) {
  const std::filesystem::path file(path);
  const std::string folder = file.has_parent_path() ? file.parent_path().string() : ".";
  const int fd = ::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return error_at(core::ErrorKind::kMissing, std::strerror(errno), folder);
  std::string text = "/proc/self/fd/" + std::to_string(fd) + "/" + file.filename().string();
  return std::unique_ptr<ShortSocketPath>(new ShortSocketPath(fd, std::move(text)));
}

ShortSocketPath::~ShortSocketPath() {
  close(directory_);
}

core::Result<std::unique_ptr<SocketFile>> SocketFile::prepare(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  std::error_code failure;
  if (!folder.empty() && std::filesystem::create_directories(folder, failure)) {
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failure);
  }
  auto file = std::unique_ptr<SocketFile>(new SocketFile(path));
  SYNCLINE_ASSIGN(file->short_path_, ShortSocketPath::open(path));
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return file;
  if (!S_ISSOCK(info.st_mode)) {
    return error_at(core::ErrorKind::kConflict,
                    "there is a file that is no socket where the API's socket should be", path);
  }
  if (is_served(file->short_path())) {
    return error_at(core::ErrorKind::kConflict, "another daemon serves this socket; stop it first",
                    path);
  }
  unlink(path.c_str());
  return file;
}

core::Status SocketFile::adopt() {
  struct stat info {};
  if (lstat(path_.c_str(), &info) != 0 || (info.st_mode & 0777) != 0600) {
    // A file system that does not keep the mode: set it, or do not serve there.
    if (chmod(path_.c_str(), 0600) != 0 || lstat(path_.c_str(), &info) != 0 ||
        (info.st_mode & 077) != 0) {
      return error_at(core::ErrorKind::kInvalid,
                      "this file system cannot keep a socket private; put it elsewhere", path_);
    }
  }
  device_ = info.st_dev;
  inode_ = info.st_ino;
  return {};
}

SocketFile::~SocketFile() {
  struct stat info {};
  if (inode_ != 0 && lstat(path_.c_str(), &info) == 0 && info.st_dev == device_ &&
      info.st_ino == inode_) {
    unlink(path_.c_str());
  }
}

void make_private(int socket) {
  fchmod(socket, 0600);
}

}  // namespace syncline::http
