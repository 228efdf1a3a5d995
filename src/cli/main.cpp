// The program `syncline`.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "cli/program.hpp"
#include "net/links.hpp"
#include "node/daemon.hpp"

namespace {
constexpr std::chrono::seconds kJoinTimeout(15);  // per address of the token
}  // namespace

int main(int argc, char** argv) {
  // A reader that closes the pipe (… | head) ends the writing, not the process half way.
  signal(SIGPIPE, SIG_IGN);
  const auto environment = [](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return std::string(value == nullptr ? "" : value);
  };
  std::error_code ignored;
  syncline::cli::Context context{std::cout, std::cerr};
  context.is_out_terminal = isatty(STDOUT_FILENO) == 1;
  context.is_err_terminal = isatty(STDERR_FILENO) == 1 && environment("TERM") != "dumb";
  context.has_colour =
      context.is_out_terminal && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
  context.working_directory = std::filesystem::current_path(ignored).string();
  context.environment = environment;
  context.check_config = syncline::node::check;
  context.run_daemon = syncline::node::run_daemon;
  context.join_call = [](const std::string& address, const syncline::identity::KeyPair& own,
                         const syncline::core::Digest256& fleet, const std::string& request) {
    return syncline::net::join_call(address, own.certificate_pem, own.key_pem, fleet, request,
                                    kJoinTimeout);
  };
  const int code = syncline::cli::run_program(context, {argv + 1, argv + argc});
  std::cout.flush();
  return code;
}
