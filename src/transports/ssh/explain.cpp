// What ssh and rsync say when they fail, as one sentence with what to do.
#include <array>

#include "transports/ssh/rsync.hpp"

namespace syncline::transports::ssh {

using core::Error;
using core::ErrorKind;

namespace {

struct Meaning {
  const char* text;  // as OpenSSH, rsync and the shells over there say it in the C locale
  ErrorKind kind;
  const char* what;  // after the node's name
};

// The first that is found counts.
constexpr std::array kOfSsh = {
    Meaning{"REMOTE HOST IDENTIFICATION HAS CHANGED", ErrorKind::kInvalid,
            " shows another host key than the one we know: if the machine was set up anew, remove "
            "its old key from the file of known hosts; else somebody is in between"},
    Meaning{"Host key verification failed", ErrorKind::kInvalid,
            " shows a host key that is not in the file of known hosts: add it (ssh-keyscan) after "
            "checking it"},
    Meaning{"Permission denied", ErrorKind::kInvalid,
            " refused the login: put our public key into its authorized_keys, or name another "
            "key or user"},
    Meaning{"Too many authentication failures", ErrorKind::kInvalid,
            " refused the login after too many keys: name the key file"},
    Meaning{"UNPROTECTED PRIVATE KEY FILE", ErrorKind::kInvalid,
            ": our key file can be read by others: chmod 600 it"},
    Meaning{"Could not resolve hostname", ErrorKind::kUnreachable,
            " has a host name that does not resolve"},
    Meaning{"Connection refused", ErrorKind::kUnreachable,
            " refuses connections: is sshd running, and on this port?"},
    Meaning{"No route to host", ErrorKind::kUnreachable, " cannot be reached: no route to it"},
    Meaning{"Network is unreachable", ErrorKind::kUnreachable,
            " cannot be reached: no route to its network"},
    Meaning{"Connection timed out", ErrorKind::kUnreachable,
            " did not answer in time: down, or behind a firewall"},
    Meaning{"banner exchange", ErrorKind::kUnreachable, " accepts, but does not speak SSH in time"},
};

constexpr std::array kOfRsync = {
    Meaning{"No space left on device", ErrorKind::kExhausted, ": a disk is full; make room"},
    Meaning{"Disk quota exceeded", ErrorKind::kExhausted, ": a disk quota is used up; make room"},
    Meaning{"rsync: not found", ErrorKind::kInvalid, " has no rsync: install it there"},
    Meaning{"rsync: command not found", ErrorKind::kInvalid, " has no rsync: install it there"},
    Meaning{"No such file or directory (2)", ErrorKind::kMissing, " has no such file"},
    Meaning{"Not a directory (20)", ErrorKind::kMissing, " has no such file"},
    Meaning{"Permission denied (13)", ErrorKind::kInvalid,
            " does not let us at the file: check its owner and permissions"},
    Meaning{"skipping non-regular file", ErrorKind::kInvalid,
            " has something there that is no file"},
};

template <std::size_t Size>
const Meaning* find(const std::array<Meaning, Size>& meanings, const std::string& errors) {
  for (const Meaning& meaning : meanings) {
    if (errors.find(meaning.text) != std::string::npos) return &meaning;
  }
  return nullptr;
}

// The last line that says something, for what we have no words for.
std::string last_line(const std::string& errors) {
  const std::size_t end = errors.find_last_not_of("\r\n ");
  if (end == std::string::npos) return "no reason given";
  const std::size_t before = errors.find_last_of('\n', end);
  const std::size_t begin = before == std::string::npos ? 0 : before + 1;
  return errors.substr(begin, std::min<std::size_t>(end + 1 - begin, 200));
}

}  // namespace

Error explain(int exit_code, const std::string& errors, const std::string& node,
              const std::string& path) {
  constexpr int kSshFailed = 255;
  constexpr int kPartial = 23;  // rsync: some files could not be transferred
  const Meaning* meaning = nullptr;
  if (exit_code != kPartial) meaning = find(kOfSsh, errors);
  if (meaning == nullptr && exit_code != kSshFailed) meaning = find(kOfRsync, errors);
  if (meaning != nullptr) return {meaning->kind, node + meaning->what, path};
  return {ErrorKind::kUnreachable,
          "the connection to " + node + " broke, or its command failed with code " +
              std::to_string(exit_code) + ": " + last_line(errors),
          path};
}

}  // namespace syncline::transports::ssh
