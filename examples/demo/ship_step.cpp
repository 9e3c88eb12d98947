#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

#include "steps.hpp"
#include "text/quantity.hpp"

namespace demo {
namespace {

using namespace seriatim;
using Clock = std::chrono::steady_clock;

constexpr std::size_t slice_bytes = 4 * 1024 * 1024;

// Reads a socket to its end.
class Receiver {
 public:
  explicit Receiver(int fd) : fd_(fd), thread_([this] { receive(); }) {}
  /// Waits for the end of the stream. Empty with an errno if reading failed.
  const std::vector<std::byte>& wait() {
    thread_.join();
    return bytes_;
  }
  int failed_errno() const noexcept { return failed_errno_; }

 private:
  void receive() {
    std::vector<std::byte> piece(256 * 1024);
    while (true) {
      const ssize_t got = ::read(fd_, piece.data(), piece.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) failed_errno_ = errno;
      if (got <= 0) return;
      bytes_.insert(bytes_.end(), piece.begin(), piece.begin() + got);
    }
  }

  int fd_;
  int failed_errno_ = 0;
  std::vector<std::byte> bytes_{};
  std::jthread thread_;
};

struct Shipped {
  std::vector<std::byte> expected{};
  std::uint64_t slices = 0;
};

Result<Shipped> send_partition(const LogReader& reader, int socket) {
  Shipped shipped;
  for (Offset at = reader.log_start_offset(); at < reader.high_watermark();) {
    const Result<FileSlice> slice = reader.fetch(at, slice_bytes);
    if (!slice.ok()) return slice.error();
    if (slice->empty() || slice->next_offset() <= at)
      return differs("a slice at offset " + std::to_string(at) + " leads nowhere");
    for (std::size_t sent = 0; sent < slice->size();) {
      const Result<std::size_t> moved = reader.send_to(socket, *slice, sent);
      if (!moved.ok()) return moved.error();
      sent += *moved;
    }
    const auto bytes = slice->bytes();
    shipped.expected.insert(shipped.expected.end(), bytes.begin(), bytes.end());
    ++shipped.slices;
    at = slice->next_offset();
  }
  return shipped;
}

}  // namespace

Result<> ship(const Engine& engine) {
  const Result<LogReader> reader = engine.reader({event_topic, 0});
  if (!reader.ok()) return reader.error();
  std::array<int, 2> sockets{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
    return Error(
        Errc::io_error,
        std::string("socketpair failed: ") + std::strerror(errno) + ". Raise the limit of open files", errno);
  }
  Receiver receiver(sockets[1]);
  const auto start = Clock::now();
  const Result<Shipped> shipped = send_partition(*reader, sockets[0]);
  ::close(sockets[0]);  // The receiver sees the end of the stream.
  const std::vector<std::byte>& received = receiver.wait();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  ::close(sockets[1]);
  if (!shipped.ok()) return shipped.error();
  if (receiver.failed_errno() != 0)
    return Error(Errc::io_error, std::string("receiving failed: ") + std::strerror(receiver.failed_errno()));
  if (received != shipped->expected) {
    return differs("of " + std::to_string(shipped->expected.size()) + " bytes shipped, " +
                   std::to_string(received.size()) + " arrived or their contents differ");
  }
  std::printf("   partition 0: %s in %llu slices, %s/s, every byte compared\n",
              cli::readable_size(static_cast<double>(received.size())).c_str(),
              static_cast<unsigned long long>(shipped->slices),
              cli::readable_size(static_cast<double>(received.size()) / seconds).c_str());
  return {};
}

}  // namespace demo
