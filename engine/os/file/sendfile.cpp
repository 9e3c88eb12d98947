#include "os/file/sendfile.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>

#include "base/assert.hpp"
#include "os/errno_error.hpp"
#include "os/retry.hpp"

namespace seriatim::os {
namespace {

// Keeps a SIGPIPE that the calls inside raise (always at this thread) from being delivered. One that was
// pending before is the application's own and stays.
class SigpipeGuard {
 public:
  SigpipeGuard() noexcept {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    SERIATIM_ASSERT(::sigpending(&pending) == 0);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    SERIATIM_ASSERT(::pthread_sigmask(SIG_BLOCK, &pipe_, &mask_before_) == 0);
  }
  ~SigpipeGuard() {
    const timespec at_once{};
    if (is_raised_ && !was_pending_) {
      // -1 only where the application ignores SIGPIPE: then nothing was left pending.
      static_cast<void>(retry_interrupted([&] { return ::sigtimedwait(&pipe_, nullptr, &at_once); }));
    }
    SERIATIM_ASSERT(::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr) == 0);
  }
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;

  void note_raised() noexcept { is_raised_ = true; }

 private:
  sigset_t pipe_;
  sigset_t mask_before_;
  bool was_pending_ = false;
  bool is_raised_ = false;
};

struct Range {
  int out_fd;
  int in_fd;
  std::uint64_t position;
  std::size_t length;
};

constexpr std::size_t copy_bytes = 64 * 1024;

// One transfer by way of user memory; as sendfile(2) it returns bytes, 0 at the end of the
// file, -1 and errno.
ssize_t copy_once(const Range& range, std::byte* buffer) noexcept {
  const std::size_t bytes = std::min(range.length, copy_bytes);
  const ssize_t read = retry_interrupted(
      [&] { return ::pread(range.in_fd, buffer, bytes, static_cast<off_t>(range.position)); });
  if (read <= 0) return read;
  return retry_interrupted([&] { return ::write(range.out_fd, buffer, static_cast<std::size_t>(read)); });
}

ssize_t send_once(const Range& range) noexcept {
  // The kernel moves at most this per call (sendfile(2)) and some versions refuse more.
  constexpr std::size_t call_bytes_max = 0x7ffff000;
  auto position = static_cast<off_t>(range.position);
  return retry_interrupted([&] {
    return ::sendfile(range.out_fd, range.in_fd, &position, std::min(range.length, call_bytes_max));
  });
}

std::string what_failed(const Range& range) {
  return "send " + std::to_string(range.length) + " bytes from position " + std::to_string(range.position) +
         " of a file to descriptor " + std::to_string(range.out_fd);
}

Error file_ends_error(const Range& range) {
  return {Errc::io_error,
          "cannot " + what_failed(range) + ": the file ends before that (errno " + std::to_string(ENODATA) +
              "). It was cut by something else; verify the directory.",
          ENODATA};
}

}  // namespace

Result<std::size_t> send_range(int out_fd, int in_fd, std::uint64_t position, std::size_t length) {
  Range rest{out_fd, in_fd, position, length};
  SigpipeGuard sigpipe;
  std::unique_ptr<std::byte[]> buffer;  // only once sendfile has refused
  while (rest.length > 0) {
    ssize_t moved = buffer ? copy_once(rest, buffer.get()) : send_once(rest);
    if (moved < 0 && (errno == EINVAL || errno == ENOSYS) && !buffer) {
      buffer = std::make_unique_for_overwrite<std::byte[]>(copy_bytes);
      continue;
    }
    const int saved = errno;
    if (moved < 0 && saved == EPIPE) sigpipe.note_raised();
    if (moved <= 0) {
      const std::size_t sent = length - rest.length;
      if (sent > 0 || (moved < 0 && (saved == EAGAIN || saved == EWOULDBLOCK))) return sent;
      return moved == 0 ? file_ends_error(rest) : errno_error(saved, what_failed(rest), {});
    }
    rest.position += static_cast<std::uint64_t>(moved);
    rest.length -= static_cast<std::size_t>(moved);
  }
  return length;
}

}  // namespace seriatim::os
