#include "text/output_stream.hpp"

#include <cerrno>
#include <cstring>

#include <poll.h>
#include <unistd.h>

namespace seriatim::cli {
namespace {

// A pipe with default settings takes at most 64 KiB by one write(2); a larger buffer saves
// nothing and delays the reader.
constexpr std::size_t buffer_limit = 64 * 1024;
// Nobody notices a tenth of a second, and the work is not slowed down.
constexpr std::chrono::milliseconds look_interval{100};

}  // namespace

void OutputStream::write(std::string_view text) {
  if (failed_errno_ != 0) return;
  buffer_ += text;
  if (buffer_.size() >= buffer_limit) write_out();
}

Result<> OutputStream::flush() {
  write_out();
  if (failed_errno_ == 0) return {};
  return Error(Errc::io_error,
               std::string("standard output cannot be written: ") + std::strerror(failed_errno_) +
                   ". The results are incomplete; send them elsewhere and run the command again",
               failed_errno_);
}

Result<> OutputStream::flush_or_notice() {
  write_out();
  notice_reader();
  return flush();
}

bool OutputStream::has_reader() {
  const auto now = std::chrono::steady_clock::now();
  if (failed_errno_ == 0 && now - looked_at_ >= look_interval) {
    looked_at_ = now;
    notice_reader();
  }
  return !reader_is_gone();
}

// A pipe or socket without a reader says so unasked: no event is waited for.
void OutputStream::notice_reader() {
  pollfd output{fd_, 0, 0};
  if (failed_errno_ == 0 && ::poll(&output, 1, 0) > 0 && (output.revents & (POLLERR | POLLHUP)) != 0)
    failed_errno_ = EPIPE;
}

void OutputStream::write_out() {
  std::string_view rest = buffer_;
  while (!rest.empty() && failed_errno_ == 0) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      failed_errno_ = errno;
    }
  }
  buffer_.clear();
}

bool OutputStream::reader_is_gone() const noexcept { return failed_errno_ == EPIPE; }

bool OutputStream::is_terminal() const noexcept { return ::isatty(fd_) == 1; }

}  // namespace seriatim::cli
