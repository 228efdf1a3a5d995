#include "net/congestion.hpp"

#include <gtest/gtest.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>

namespace syncline::net {
namespace {

std::string control_of(int socket) {
  char name[16] = {};
  socklen_t size = sizeof(name) - 1;
  EXPECT_EQ(::getsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name, &size), 0);
  return name;
}

struct Socket {
  int fd;
  explicit Socket(int from = ::socket(AF_INET, SOCK_STREAM, 0)) : fd(from) {}
  ~Socket() { ::close(fd); }
  bool set(const std::string& name) const {
    return ::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name.data(),
                        static_cast<socklen_t>(name.size())) == 0;
  }
};

// Of this machine with itself: some tens of microseconds there and back.
struct Pair {
  Socket listener;
  Socket dialled;
  std::unique_ptr<Socket> accepted;

  void connect() {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(at);
    auto* address = reinterpret_cast<sockaddr*>(&at);
    ASSERT_EQ(::bind(listener.fd, address, size), 0);
    ASSERT_EQ(::listen(listener.fd, 1), 0);
    ASSERT_EQ(::getsockname(listener.fd, address, &size), 0);
    ASSERT_EQ(::connect(dialled.fd, address, size), 0);
    accepted = std::make_unique<Socket>(::accept(listener.fd, nullptr, nullptr));
  }
};

TEST(CongestionControl, both_ends_begin_with_cubic_where_bbr_would_be_taken) {
  Pair pair;
  if (!pair.listener.set("bbr") || !pair.dialled.set("bbr")) GTEST_SKIP() << "no BBR here";
  begin_without_pacing(pair.listener.fd);
  begin_without_pacing(pair.dialled.fd);
  pair.connect();
  EXPECT_EQ(control_of(pair.dialled.fd), "cubic");
  EXPECT_EQ(control_of(pair.accepted->fd), "cubic");
}

TEST(CongestionControl, what_does_not_pace_stays) {
  Pair pair;
  ASSERT_TRUE(pair.dialled.set("reno"));
  begin_without_pacing(pair.dialled.fd);
  pair.connect();
  settle_congestion_control(pair.dialled.fd, core::milliseconds(100));
  EXPECT_EQ(control_of(pair.dialled.fd), "reno");
}

TEST(CongestionControl, a_path_that_is_not_short_gets_what_the_machine_is_set_to) {
  Pair pair;
  const std::string machine = control_of(pair.dialled.fd);
  if (!machine.starts_with("bbr")) GTEST_SKIP() << "this machine is set to " << machine;
  begin_without_pacing(pair.dialled.fd);
  pair.connect();
  settle_congestion_control(pair.dialled.fd, core::milliseconds(100));
  EXPECT_EQ(control_of(pair.dialled.fd), "cubic") << "a short one";
  settle_congestion_control(pair.dialled.fd, core::Duration(0));
  EXPECT_EQ(control_of(pair.dialled.fd), machine);
}

}  // namespace
}  // namespace syncline::net
