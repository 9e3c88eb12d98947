// A forked child that runs a piece of a test: to be killed, or to be a second process.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <stdexcept>
#include <string>

namespace seriatim::test {

/// Runs a function in a forked child. Its result comes back as text; nothing of the test framework may
/// be used in it. Killed and waited for at the latest by the destructor.
class ChildProcess {
 public:
  /// Given to the function: lets the child say something before it ends, and sleep until it is killed.
  class Voice {
   public:
    explicit Voice(int descriptor) noexcept : descriptor_(descriptor) {}
    void say(const std::string& text) const {
      if (::write(descriptor_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) ::_exit(3);
    }
    /// The child's stderr is read too.
    void take_stderr() const {
      if (::dup2(descriptor_, STDERR_FILENO) < 0) ::_exit(3);
    }
    [[noreturn]] void sleep_until_killed() const {
      while (true) ::pause();
    }

   private:
    int descriptor_;
  };

  explicit ChildProcess(const std::function<void(const Voice&)>& function) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("cannot make a pipe");
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("cannot fork");
    if (pid_ == 0) {
      ::close(ends[0]);
      // The test framework's handlers would report the child's death as its own.
      for (const int number : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGINT, SIGSEGV, SIGTERM})
        ::signal(number, SIG_DFL);
      function(Voice(ends[1]));
      ::_exit(0);
    }
    ::close(ends[1]);
    from_child_ = ends[0];
  }
  ~ChildProcess() {
    kill();
    ::close(from_child_);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const noexcept { return pid_; }

  /// Waits for the next `count` bytes the child says; fewer only if it ended.
  std::string hear(std::size_t count) {
    std::string text;
    while (text.size() < count) {
      char buffer[256];
      const ssize_t bytes = ::read(from_child_, buffer, std::min(sizeof(buffer), count - text.size()));
      if (bytes < 0 && errno == EINTR) continue;
      if (bytes <= 0) break;
      text.append(buffer, static_cast<std::size_t>(bytes));
    }
    return text;
  }

  /// Everything the child says until it ends.
  std::string hear_all() { return hear(static_cast<std::size_t>(-1)); }

  /// SIGKILL, and waits until it is gone.
  void kill() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    wait();
  }

  /// Waits for the end. Exit status, or -signal; only the first time.
  int wait() {
    if (pid_ <= 0) return 0;
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  pid_t pid_ = -1;
  int from_child_ = -1;
};

}  // namespace seriatim::test
