// A fleet's membership on virtual time, in figures: how soon a death is known, how far news travel
// per round, what it costs each node in bytes.
//
//   membership_sim [nodes=1000] [loss_percent=1] [minutes=10] [seed=1]
//
// Bytes are those of the datagrams as sent: packet, seal, UDP and IPv4 heads. Exchanges are counted
// without TLS and TCP.
#include <sys/resource.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "membership/test_network.hpp"
#include "wire/packet.hpp"

namespace {

using namespace syncline;
using membership::TestNetwork;

constexpr std::size_t kSealBytes = 33;
constexpr std::size_t kUdpBytes = 8 + 20;

struct Options {
  std::size_t nodes = 1000;
  double loss = 0.01;
  int minutes = 10;
  std::uint64_t seed = 1;
};

Options options_of(int count, char** values) {
  Options options;
  if (count > 1) options.nodes = std::strtoul(values[1], nullptr, 10);
  if (count > 2) options.loss = std::strtod(values[2], nullptr) / 100;
  if (count > 3) options.minutes = std::atoi(values[3]);
  if (count > 4) options.seed = std::strtoull(values[4], nullptr, 10);
  return options;
}

double seconds_since(const TestNetwork& net, core::Instant start) {
  return core::to_seconds(net.now() - start);
}

// Looking at every table costs as much as many events: it is done each 10 ms of virtual time, which
// is as exact as what is printed.
constexpr core::Duration kLookEvery = core::milliseconds(10);
constexpr core::Duration kWaitMax = core::seconds(600);

void run_until(TestNetwork& net, const std::function<bool()>& done) {
  const core::Instant end = net.now() + kWaitMax;
  while (!done() && net.now() < end) net.run(kLookEvery);
}

// How many running nodes hold the subject for that.
double share_that_says(TestNetwork& net, std::size_t subject, core::MemberState state) {
  std::size_t say = 0;
  std::size_t all = 0;
  for (std::size_t i = 0; i < net.size(); ++i) {
    if (i == subject || !net.node(i).membership) continue;
    ++all;
    say += net.knows(i, subject) && net.state_at(i, subject) == state ? 1 : 0;
  }
  return static_cast<double>(say) / static_cast<double>(all);
}

// What a node has sent so far, on the average.
struct Sent {
  double datagrams = 0;
  double datagram_bytes = 0;
  double exchange_bytes = 0;
};

Sent sent_by_each(TestNetwork& net) {
  Sent sent;
  for (std::size_t i = 0; i < net.size(); ++i) {
    sent.datagrams += static_cast<double>(net.node(i).datagrams);
    sent.datagram_bytes += static_cast<double>(net.node(i).datagram_bytes);
    sent.exchange_bytes += static_cast<double>(net.node(i).exchange_bytes);
  }
  const auto nodes = static_cast<double>(net.size());
  return {sent.datagrams / nodes, sent.datagram_bytes / nodes, sent.exchange_bytes / nodes};
}

// Answers the bytes in datagrams per node and second.
double quiet_time(TestNetwork& net, const Options& options) {
  const std::uint64_t suspected = net.count_changes(core::MemberState::kSuspect);
  const Sent before = sent_by_each(net);
  net.run(core::seconds(60) * options.minutes);
  const Sent after = sent_by_each(net);
  const double seconds = 60.0 * options.minutes;
  const double bytes_per_s = (after.datagram_bytes - before.datagram_bytes) / seconds;
  std::printf(
      "quiet for %d min: per node and second %.2f datagrams, %.0f bytes in datagrams, "
      "%.0f in exchanges\n",
      options.minutes, (after.datagrams - before.datagrams) / seconds, bytes_per_s,
      (after.exchange_bytes - before.exchange_bytes) / seconds);
  std::printf(
      "  false deaths %llu, tables with a suspect meanwhile %llu\n",
      static_cast<unsigned long long>(net.count_changes(core::MemberState::kDead)),
      static_cast<unsigned long long>(net.count_changes(core::MemberState::kSuspect) - suspected));
  return bytes_per_s;
}

void news(TestNetwork& net, double quiet_bytes_per_s) {
  core::MemberProfile profile = *net.node(1).membership->self().profile;
  profile.meta.roles = {"training"};
  const core::Instant start = net.now();
  const Sent before = sent_by_each(net);
  net.step(1, membership::ProfileChanged{profile});
  const std::uint64_t incarnation = net.node(1).membership->self().standing.incarnation;
  const auto share = [&] {
    std::size_t know = 0;
    for (std::size_t i = 0; i < net.size(); ++i) {
      const membership::Member* member =
          net.node(i).membership->members().find(TestNetwork::name(1));
      know += member != nullptr && member->standing.incarnation >= incarnation ? 1 : 0;
    }
    return static_cast<double>(know) / static_cast<double>(net.size());
  };
  for (const double goal : {0.5, 0.99, 1.0}) {
    run_until(net, [&] { return share() >= goal; });
    const double passed = seconds_since(net, start);
    std::printf("news known to %.0f %%: %.2f s, %.0f rounds of 200 ms\n", goal * 100, passed,
                std::ceil(passed / 0.2));
  }
  const double sent = sent_by_each(net).datagram_bytes - before.datagram_bytes;
  std::printf("  for which each node sent %.0f bytes, %.0f more than in as long a quiet time\n",
              sent, sent - quiet_bytes_per_s * seconds_since(net, start));
}

void death(TestNetwork& net, std::size_t subject) {
  net.kill(subject);
  const core::Instant start = net.now();
  run_until(net, [&] { return share_that_says(net, subject, core::MemberState::kSuspect) > 0; });
  std::printf("death of %s: first suspected after %.1f s", TestNetwork::name(subject).text.c_str(),
              seconds_since(net, start));
  for (const double goal : {0.0, 0.5, 0.99, 1.0}) {
    run_until(net, [&] {
      const double share = share_that_says(net, subject, core::MemberState::kDead);
      return goal == 0.0 ? share > 0 : share >= goal;
    });
    std::printf(", dead to %s %.1f s",
                goal == 0    ? "the first"
                : goal == 1  ? "all"
                : goal > 0.9 ? "99 %"
                             : "half",
                seconds_since(net, start));
  }
  std::printf("\n");
}

}  // namespace

int main(int count, char** values) {
  const Options options = options_of(count, values);
  TestNetwork net(options.nodes, options.seed, {}, {options.loss});
  net.packet_bytes = [](const core::Packet& packet) {
    return wire::encode_packet(packet).size() + kSealBytes + kUdpBytes;
  };
  net.state_bytes = [](const core::PushPull& state) {
    return wire::encode_push_pull(state).size();
  };
  net.keeps_changes = false;
  net.introduce_all();
  net.run(core::seconds(120));
  std::printf("%zu nodes, %.0f %% loss, seed %llu\n", options.nodes, options.loss * 100,
              static_cast<unsigned long long>(options.seed));
  news(net, quiet_time(net, options));
  for (std::size_t i = 10; i < 15 && i < options.nodes; ++i) death(net, i);
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  std::printf("memory: %.1f GB, %.0f bytes per entry of a table (all in one process)\n",
              static_cast<double>(used.ru_maxrss) * 1024 / 1e9,
              static_cast<double>(used.ru_maxrss) * 1024 /
                  static_cast<double>(options.nodes * options.nodes));
  return 0;
}
