#include "net/congestion.hpp"

#include <linux/tcp.h>  // <netinet/tcp.h> of glibc 2.36 lacks tcpi_min_rtt
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

namespace syncline::net {

namespace {
std::string control_of(int socket) {
  char name[16] = {};  // TCP_CA_NAME_MAX
  socklen_t size = sizeof(name) - 1;
  return ::getsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name, &size) == 0 ? name : "";
}

void set_control(int socket, const std::string& name) {
  ::setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name.data(),
               static_cast<socklen_t>(name.size()));
}

std::string control_of_machine() {
  const int fresh = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fresh < 0) return "";
  std::string name = control_of(fresh);
  ::close(fresh);
  return name;
}

bool paces(const std::string& control) {
  return control.starts_with("bbr");
}
}  // namespace

void begin_without_pacing(int socket) {
  if (paces(control_of(socket))) set_control(socket, "cubic");
}

void settle_congestion_control(int socket, core::Duration short_path_max) {
  const std::string wanted = control_of_machine();
  if (!paces(wanted)) return;
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return;
  if (std::chrono::microseconds(info.tcpi_min_rtt) > short_path_max) set_control(socket, wanted);
}

}  // namespace syncline::net
