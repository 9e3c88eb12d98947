#include "work/command_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <new>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace seriatim::cli {
namespace {

/// A descriptor, closed in the end.
class OwnedFd {
 public:
  explicit OwnedFd(int fd) noexcept : fd_(fd) {}
  ~OwnedFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

// 0, or errno.
int fill_input(int fd, BytesView input) {
  const std::string_view bytes = input.text();
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t written = ::pwrite(fd, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? errno : ENOSPC;
    at += static_cast<std::size_t>(written);
  }
  return 0;
}

std::vector<char*> pointers_of(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  // The functions of POSIX take char* const[] for historical reasons, and change nothing.
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

/// The actions and attributes of posix_spawn.
class SpawnSetup {
 public:
  // This process ignores SIGPIPE, and the program would go on doing so.
  explicit SpawnSetup(int input_fd) noexcept {
    error_ = ::posix_spawn_file_actions_init(&actions_);
    if (error_ != 0) return;
    has_actions_ = true;
    error_ = ::posix_spawnattr_init(&attributes_);
    if (error_ != 0) return;
    has_attributes_ = true;
    sigset_t broken_pipe;
    ::sigemptyset(&broken_pipe);
    ::sigaddset(&broken_pipe, SIGPIPE);
    for (const int step : {::posix_spawn_file_actions_adddup2(&actions_, input_fd, STDIN_FILENO),
                           ::posix_spawnattr_setsigdefault(&attributes_, &broken_pipe),
                           ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF)}) {
      if (error_ == 0) error_ = step;
    }
  }
  ~SpawnSetup() {
    if (has_attributes_) ::posix_spawnattr_destroy(&attributes_);
    if (has_actions_) ::posix_spawn_file_actions_destroy(&actions_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  // 0, or errno.
  int spawn(pid_t& pid, const std::string& program, const std::vector<std::string>& words,
            const std::vector<std::string>& environment) const {
    if (error_ != 0) return error_;
    return ::posix_spawn(&pid, program.c_str(), &actions_, &attributes_, pointers_of(words).data(),
                         pointers_of(environment).data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
  bool has_actions_ = false;
  bool has_attributes_ = false;
  int error_ = 0;
};

int spawn_program(pid_t& pid, const CommandStart& start, int input_fd) {
  const SpawnSetup setup(input_fd);
  const int failure = setup.spawn(pid, start.program, start.words, start.environment);
  if (failure != ENOEXEC) return failure;
  // A script without a first line that says by whom it is run: the shell runs it, as execvp has it.
  std::vector<std::string> words{"sh", start.program};
  for (std::size_t i = 1; i < start.words.size(); ++i) words.push_back(start.words[i]);
  return setup.spawn(pid, "/bin/sh", words, start.environment);
}

Error cannot_start(const std::string& program, int failure) {
  const Errc code = failure == ENOENT                        ? Errc::not_found
                    : failure == ENOMEM || failure == EAGAIN ? Errc::out_of_memory
                                                             : Errc::io_error;
  return {code,
          "the command " + program + " cannot be started: " + std::generic_category().message(failure) +
              ". Its record is released. Run it by hand to see why",
          failure};
}

}  // namespace

Result<std::unique_ptr<CommandProcess>> CommandProcess::start(const CommandStart& start) {
  const OwnedFd input(::memfd_create("seriatim-record", MFD_CLOEXEC));
  const int failure = input.get() < 0 ? errno : fill_input(input.get(), start.input);
  if (failure != 0) {
    return Error(Errc::out_of_memory,
                 "no room in memory for the standard input of " + start.program + ": " +
                     std::generic_category().message(failure) + ". Its record is released",
                 failure);
  }
  std::unique_ptr<CommandProcess> process(new CommandProcess());
  // The thread is there before the process: a process without somebody to wait for it must not be.
  process->waiter_ = std::thread([&, made = process.get()] { made->run(start, input.get()); });
  std::unique_lock lock(process->mutex_);
  process->changed_.wait(lock, [&] { return process->start_errno_.has_value(); });
  if (*process->start_errno_ != 0) return cannot_start(start.program, *process->start_errno_);
  lock.unlock();
  return process;
}

CommandProcess::~CommandProcess() {
  if (waiter_.joinable()) waiter_.join();
}

// `start` and `input_fd` are there until start_errno_ is set.
void CommandProcess::run(const CommandStart& start, int input_fd) {
  pid_t pid = -1;
  int failure = ENOMEM;
  try {
    failure = spawn_program(pid, start, input_fd);
  } catch (const std::bad_alloc&) {
    // Nothing was started: spawn_program allocates before it starts.
  }
  {
    const std::lock_guard lock(mutex_);
    pid_ = pid;
    start_errno_ = failure;
    changed_.notify_all();
  }
  if (failure == 0) wait_for_end();
}

// The process is taken leave of under the mutex, so that no signal goes to another of its number.
void CommandProcess::wait_for_end() {
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  const std::lock_guard lock(mutex_);
  int status = 0;
  pid_t ended = -1;
  do {
    ended = ::waitpid(pid_, &status, 0);
  } while (ended < 0 && errno == EINTR);
  // Somebody else has waited for it: nobody knows how it ended, so it is not said to have done its work.
  ended_ = ended == pid_ ? command_status(status) : CommandStatus{.exit_status = -1};
  changed_.notify_all();
}

std::optional<CommandStatus> CommandProcess::wait_until(std::chrono::steady_clock::time_point time) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, time, [&] { return ended_.has_value(); });
  return ended_;
}

void CommandProcess::send_signal(int signal_number) {
  const std::lock_guard lock(mutex_);
  if (!ended_ && pid_ > 0) ::kill(pid_, signal_number);
}

}  // namespace seriatim::cli
