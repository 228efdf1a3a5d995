#include "env/subprocess.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>

#include "env/files.hpp"

extern char** environ;

namespace syncline::env {

using core::Error;
using core::ErrorKind;
using core::Result;

namespace {

struct Pipe {
  int read_end = -1;
  int write_end = -1;
  bool open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    read_end = ends[0];
    write_end = ends[1];
    return true;
  }
  ~Pipe() {
    if (read_end >= 0) ::close(read_end);
    if (write_end >= 0) ::close(write_end);
  }
};

std::vector<std::string> merged_environment(const std::vector<std::string>& additions) {
  std::map<std::string, std::string> by_name;
  const auto add = [&](const std::string& entry) {
    by_name[entry.substr(0, entry.find('='))] = entry;
  };
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) add(*entry);
  for (const std::string& entry : additions) add(entry);
  std::vector<std::string> merged;
  for (auto& [name, entry] : by_name) merged.push_back(std::move(entry));
  return merged;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// What the child needs, made before fork: after it only async-signal-safe calls are allowed.
struct ChildPlan {
  const char* program = nullptr;
  const char* folder = nullptr;
  char** argv = nullptr;
  char** environment = nullptr;
  int input = -1;
  int output = -1;
  int errors = -1;
  int report = -1;  // where errno goes if exec fails
  pid_t parent = 0;
};

[[noreturn]] void become(const ChildPlan& plan) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.parent) ::_exit(127);  // it died before the line above
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const bool is_ready = ::dup2(plan.input, 0) >= 0 && ::dup2(plan.output, 1) >= 0 &&
                        ::dup2(plan.errors, 2) >= 0 &&
                        (plan.folder == nullptr || ::chdir(plan.folder) == 0) &&
                        ::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) == 0;
  if (is_ready) ::execve(plan.program, plan.argv, plan.environment);
  const int code = errno;
  const ssize_t told = ::write(plan.report, &code, sizeof(code));
  ::_exit(told < 0 ? 126 : 127);
}

bool wait_readable(int fd, core::Duration at_most) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(at_most).count();
  pollfd one{fd, POLLIN, 0};
  return ::poll(&one, 1, static_cast<int>(ms)) > 0;
}

int exit_code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return ::access(name.c_str(), X_OK) == 0 ? name : "";
  const char* path = std::getenv("PATH");
  std::string folders = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  folders += ":/usr/sbin:/sbin";
  for (std::size_t at = 0; at <= folders.size();) {
    const std::size_t colon = std::min(folders.find(':', at), folders.size());
    const std::string candidate = folders.substr(at, colon - at) + "/" + name;
    if (candidate.front() == '/' && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    at = colon + 1;
  }
  return "";
}

Result<Subprocess> Subprocess::start(const Command& command) {
  SYNCLINE_CHECK(!command.argv.empty(), "a command without a program");
  const std::string program = find_program(command.argv.front());
  if (program.empty()) {
    return Error{ErrorKind::kMissing, "the program is not installed here", command.argv.front()};
  }
  Pipe input, output, errors, report;
  if (!input.open() || !output.open() || !errors.open() || !report.open()) {
    return system_error("making a pipe for", program, errno);
  }
  std::vector<std::string> argv = command.argv;
  std::vector<std::string> environment = merged_environment(command.environment);
  std::vector<char*> argv_pointers = pointers(argv);
  std::vector<char*> environment_pointers = pointers(environment);
  const ChildPlan plan{program.c_str(),
                       command.folder.empty() ? nullptr : command.folder.c_str(),
                       argv_pointers.data(),
                       environment_pointers.data(),
                       input.read_end,
                       output.write_end,
                       errors.write_end,
                       report.write_end,
                       ::getpid()};
  const pid_t pid = ::fork();
  if (pid == 0) become(plan);
  if (pid < 0) {
    return Error{ErrorKind::kExhausted,
                 std::string("starting a program failed: ") + std::strerror(errno), program};
  }
  ::setpgid(pid, pid);  // here too: whoever comes first, the group exists before anyone uses it
  Subprocess started;
  started.pid_ = pid;
  started.pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  started.input_ = std::exchange(input.write_end, -1);
  started.output_ = std::exchange(output.read_end, -1);
  started.errors_ = std::exchange(errors.read_end, -1);
  ::fcntl(started.output_, F_SETFL, O_NONBLOCK);
  ::fcntl(started.errors_, F_SETFL, O_NONBLOCK);
  ::close(std::exchange(report.write_end, -1));
  int code = 0;
  ssize_t told = 0;
  while ((told = ::read(report.read_end, &code, sizeof(code))) < 0 && errno == EINTR) {
  }
  if (told == sizeof(code)) return system_error("starting", program, code);
  if (started.pidfd_ < 0) return system_error("watching", program, errno);
  return started;
}

void Subprocess::close_input() {
  if (input_ >= 0) ::close(std::exchange(input_, -1));
}

void Subprocess::kill_group(int signal) const {
  // Not yet reaped, so the number is still this program's.
  if (pid_ > 0 && !exit_code_) ::kill(-pid_, signal);
}

std::optional<int> Subprocess::wait(core::Duration at_most) {
  if (exit_code_ || pid_ <= 0) return exit_code_;
  if (!wait_readable(pidfd_, at_most)) return std::nullopt;
  kill_group(SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  exit_code_ = exit_code_of(status);
  return exit_code_;
}

int Subprocess::end(core::Duration grace) {
  kill_group(SIGTERM);
  if (const auto code = wait(grace)) return *code;
  kill_group(SIGKILL);
  while (true) {
    if (const auto code = wait(core::seconds(1))) return *code;
  }
}

void Subprocess::close_all() {
  if (pid_ > 0 && !exit_code_) {
    kill_group(SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  pid_ = -1;
  for (int* fd : {&pidfd_, &input_, &output_, &errors_}) {
    if (*fd >= 0) ::close(std::exchange(*fd, -1));
  }
}

Subprocess::~Subprocess() {
  close_all();
}

Subprocess::Subprocess(Subprocess&& other) noexcept {
  *this = std::move(other);
}

Subprocess& Subprocess::operator=(Subprocess&& other) noexcept {
  if (this == &other) return *this;
  close_all();
  pid_ = std::exchange(other.pid_, -1);
  pidfd_ = std::exchange(other.pidfd_, -1);
  input_ = std::exchange(other.input_, -1);
  output_ = std::exchange(other.output_, -1);
  errors_ = std::exchange(other.errors_, -1);
  exit_code_ = std::exchange(other.exit_code_, std::nullopt);
  return *this;
}

}  // namespace syncline::env
