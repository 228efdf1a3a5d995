// Programs of others that we start: exact arguments and never a shell, a process group of their
// own, and nothing inherited but three streams.
//
// A program dies with us: the kernel kills it when the thread that started it ends (so start it
// from a thread that stays), and its whole group goes when its owner here lets go of it.
// Threads: objects are independent; one thread at a time uses one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace syncline::env {

struct Command {
  std::vector<std::string> argv;         // argv[0]: a path, or a name that PATH finds
  std::vector<std::string> environment;  // "NAME=value": added to our own, or replacing it
  std::string folder;                    // to start in; empty: ours
};

// Absolute path of a program; empty if PATH has none of that name.
std::string find_program(const std::string& name);

class Subprocess {
 public:
  // kMissing: there is no such program. kExhausted: no process or descriptor left.
  static core::Result<Subprocess> start(const Command& command);
  ~Subprocess();  // kills the group
  Subprocess(Subprocess&& other) noexcept;
  Subprocess& operator=(Subprocess&& other) noexcept;
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  int pid() const { return pid_; }
  int input() const { return input_; }    // write end of its standard input; blocking
  int output() const { return output_; }  // read ends; not blocking
  int errors() const { return errors_; }
  int ended_fd() const { return pidfd_; }  // readable once it ended
  void close_input();

  void kill_group(int signal) const;
  // Its exit code, or 128 + the signal that ended it; what is left of its group is killed. None
  // if it still runs after that time.
  std::optional<int> wait(core::Duration at_most);
  // SIGTERM, then after `grace` SIGKILL to the group.
  int end(core::Duration grace);

 private:
  Subprocess() = default;
  void close_all();

  int pid_ = -1;
  int pidfd_ = -1;
  int input_ = -1;
  int output_ = -1;
  int errors_ = -1;
  std::optional<int> exit_code_;
};

struct RunLimits {
  core::Duration silence_max{0};            // no byte on either stream for so long; 0 = no limit
  core::Duration time_max{0};               // in all; 0 = no limit
  std::size_t output_bytes_max = 1u << 20;  // more is kExhausted; no limit where on_output takes it
  std::size_t errors_bytes_max = 16u << 10;        // the last so many are kept
  int cancel_fd = -1;                              // stops when it becomes readable; -1 = never
  core::Duration grace = core::milliseconds(500);  // between SIGTERM and SIGKILL
};

// Takes the output as it comes. A failure ends the program and is the answer.
using OnOutput = std::function<core::Status(std::string_view bytes)>;

struct Finished {
  int exit_code = 0;   // 128 + signal if one ended it
  std::string output;  // empty where on_output took it
  std::string errors;  // the end of it
};

// Runs a program to its end: feeds `input`, collects both streams. kCancelled; kUnreachable:
// silent for too long, or out of time; the kinds of start(). An exit code that is not 0 is no
// error here: the caller knows what it means.
core::Result<Finished> run(const Command& command, std::string_view input, const RunLimits& limits,
                           const OnOutput& on_output = {});

}  // namespace syncline::env
