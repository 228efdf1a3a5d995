// Programs that write a database while a source reads it: real processes, each with its own
// connection, that can be killed.
//
// REQUIRES: nobody in this process has the database open when a program starts (SQLite's locks
// belong to processes, and what it knows of them would be copied).
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "sqlite/database.hpp"

namespace syncline::collections::sqlite {

class Program {
 public:
  // `say()` lets wait_until_said() return; what `run` answers is the exit code.
  using Say = std::function<void()>;
  explicit Program(const std::function<int(const Say&)>& run) {
    EXPECT_EQ(::pipe(pipe_), 0);
    pid_ = ::fork();
    if (pid_ != 0) {
      ::close(pipe_[1]);
      return;
    }
    ::close(pipe_[0]);
    const int code = run([this] { (void)!::write(pipe_[1], ".", 1); });
    ::_exit(code);
  }
  ~Program() {
    if (pid_ > 0) kill();
    ::close(pipe_[0]);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // False where it ended without a word.
  bool wait_until_said() {
    char byte = 0;
    return ::read(pipe_[0], &byte, 1) == 1;
  }
  bool has_ended() {
    if (pid_ <= 0) return true;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == 0) return false;
    note(status);
    return true;
  }
  int exit_code() {
    if (pid_ > 0) {
      int status = 0;
      ::waitpid(pid_, &status, 0);
      note(status);
    }
    return code_;
  }
  void kill() {
    ::kill(pid_, SIGKILL);
    exit_code();
  }

 private:
  void note(int status) {
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    pid_ = -1;
  }
  int pipe_[2] = {-1, -1};
  pid_t pid_ = -1;
  int code_ = -1;
};

// Waits for ever, as a program that has the database open and does nothing.
[[noreturn]] inline void idle() {
  while (true) ::pause();
}

inline constexpr int kProgramFailed = 1;
inline constexpr int kProgramMetBusy = 2;

// SQL in a program: 0, or why it ends.
inline int run_in_program(syncline::sqlite::Database& db, const std::string& sql) {
  const core::Status done = db.run(sql);
  if (done.ok()) return 0;
  return done.error().kind == core::ErrorKind::kOverloaded ? kProgramMetBusy : kProgramFailed;
}

}  // namespace syncline::collections::sqlite
