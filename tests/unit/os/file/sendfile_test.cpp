#include "os/file/sendfile.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>

#include "os/file/posix_vfs.hpp"
#include "support/child_process.hpp"
#include "support/random.hpp"
#include "support/temp_dir.hpp"

using namespace seriatim;
using namespace seriatim::os;
using test::ChildProcess;
using test::TempDir;

namespace {

constexpr std::size_t one_mib = 1 << 20;

// A file with random bytes, and two connected descriptors.
struct Fixture {
  explicit Fixture(const char* what, std::size_t size = one_mib) : bytes(test::Random(what).bytes(size)) {
    auto opened = posix_vfs().open(dir / "f", OpenMode::create_new);
    REQUIRE(opened);
    file = std::move(*opened);
    REQUIRE(file->write_at(bytes, 0));
  }
  ~Fixture() {
    ::close(out);
    if (in >= 0) ::close(in);
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  void connect_sockets(int flags = 0) {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | flags, 0, ends.data()) == 0);
    out = ends[0];
    in = ends[1];
  }
  void connect_pipe(int flags = 0) {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), flags) == 0);
    in = ends[0];
    out = ends[1];
  }
  void close_receiver() {
    ::close(in);
    in = -1;
  }
  Result<std::size_t> send(std::uint64_t position, std::size_t length) {
    return send_range(out, file->descriptor(), position, length);
  }
  base::ByteSpan expected(std::size_t position, std::size_t length) const {
    return base::ByteSpan(bytes).subspan(position, length);
  }
  // Everything up to `count` bytes that the receiver gets; fewer if it would block or the sender is gone.
  std::string receive(std::size_t count) const {
    std::string text(count, '\0');
    std::size_t done = 0;
    while (done < count) {
      const ssize_t got = ::read(in, text.data() + done, count - done);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      done += static_cast<std::size_t>(got);
    }
    text.resize(done);
    return text;
  }

  TempDir dir;
  std::vector<std::byte> bytes;
  std::unique_ptr<File> file;
  int out = -1;
  int in = -1;
};

// Sends from another thread while this one receives, as both ends may block.
std::string send_and_receive(Fixture& fixture, std::size_t position, std::size_t length) {
  Result<std::size_t> sent = std::size_t{0};
  std::thread sender([&] { sent = fixture.send(position, length); });
  std::string received = fixture.receive(length);
  sender.join();
  CHECK((sent.ok() && *sent == length));
  return received;
}

bool is_sigpipe_pending() {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1;
}

}  // namespace

TEST_CASE("a range goes to a socket whole, whatever the socket takes at a time") {
  Fixture fixture("sendfile socket");
  fixture.connect_sockets();
  CHECK(send_and_receive(fixture, 12'345, 900'000) == base::as_text(fixture.expected(12'345, 900'000)));
  CHECK(::lseek(fixture.file->descriptor(), 0, SEEK_CUR) == 0);
}

TEST_CASE("a range goes to a pipe whole") {
  Fixture fixture("sendfile pipe");
  fixture.connect_pipe();
  CHECK(send_and_receive(fixture, 1, one_mib - 1) == base::as_text(fixture.expected(1, one_mib - 1)));
}

TEST_CASE("a range goes to a file, also to one in append mode, which the kernel's sendfile refuses") {
  Fixture fixture("sendfile file");
  for (const int flags : {0, O_APPEND}) {
    fixture.out = ::open((fixture.dir / "out").c_str(), O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC | flags, 0600);
    REQUIRE(fixture.out >= 0);
    CHECK(*fixture.send(100, 300'000) == 300'000);
    std::string got(300'000, '\0');
    REQUIRE(::pread(fixture.out, got.data(), got.size(), 0) == 300'000);
    CHECK(got == base::as_text(fixture.expected(100, 300'000)));
    ::close(fixture.out);
  }
  fixture.out = -1;
}

TEST_CASE("a non-blocking receiver that is full gets what it takes, then zero, then the rest") {
  for (const bool is_pipe : {false, true}) {
    CAPTURE(is_pipe);
    Fixture fixture("sendfile non-blocking");
    if (is_pipe)
      fixture.connect_pipe(O_NONBLOCK);
    else
      fixture.connect_sockets(SOCK_NONBLOCK);
    std::string received;
    std::size_t position = 0;
    bool was_full = false;
    while (position < one_mib) {
      const auto sent = fixture.send(position, one_mib - position);
      REQUIRE(sent);
      position += *sent;
      if (*sent == 0) was_full = true;
      if (position < one_mib) {
        if (*sent > 0) CHECK(*fixture.send(position, one_mib - position) == 0);
        received += fixture.receive(one_mib);
      }
    }
    received += fixture.receive(one_mib);
    CHECK((was_full || received.size() == one_mib));
    CHECK(received == base::as_text(fixture.bytes));
  }
}

TEST_CASE("signals that interrupt the transfer lose nothing") {
  Fixture fixture("sendfile EINTR", 8 * one_mib);
  fixture.connect_sockets();
  struct sigaction action {};
  action.sa_handler = [](int) {};  // without SA_RESTART, so that calls are interrupted
  struct sigaction before {};
  REQUIRE(::sigaction(SIGUSR1, &action, &before) == 0);
  std::atomic<bool> is_done{false};
  Result<std::size_t> sent = std::size_t{0};
  std::thread sender([&] {
    sent = fixture.send(0, 8 * one_mib);
    is_done = true;
    // Stays until no more signals come.
    while (is_done) std::this_thread::yield();
  });
  std::string received;
  while (received.size() < 8 * one_mib) {
    ::pthread_kill(sender.native_handle(), SIGUSR1);
    received += fixture.receive(std::min<std::size_t>(50'000, 8 * one_mib - received.size()));
  }
  while (!is_done) std::this_thread::yield();
  is_done = false;
  sender.join();
  ::sigaction(SIGUSR1, &before, nullptr);
  CHECK((sent.ok() && *sent == 8 * one_mib));
  CHECK(received == base::as_text(fixture.bytes));
}

TEST_CASE("a receiver that has gone is an error, never a signal") {
  for (const bool is_pipe : {false, true}) {
    CAPTURE(is_pipe);
    // In a child with the default disposition: an undelivered SIGPIPE that leaks would kill it.
    ChildProcess child([is_pipe](const ChildProcess::Voice& voice) {
      std::signal(SIGPIPE, SIG_DFL);
      Fixture fixture("sendfile EPIPE");
      if (is_pipe)
        fixture.connect_pipe();
      else
        fixture.connect_sockets();
      fixture.close_receiver();
      const auto sent = fixture.send(0, 1000);
      sigset_t mask;
      ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
      const bool is_blocked = sigismember(&mask, SIGPIPE) == 1;
      if (!sent && !is_sigpipe_pending() && !is_blocked) {
        voice.say(std::string(sent.error().name()) + " " + std::to_string(sent.error().sys_errno()));
      }
    });
    CHECK(child.hear_all() == "IO_ERROR " + std::to_string(EPIPE));
    CHECK(child.wait() == 0);
  }
}

TEST_CASE("a receiver that leaves in the middle is told by the next call, after what it took was counted") {
  Fixture fixture("sendfile leaves");
  fixture.connect_pipe();
  Result<std::size_t> sent = std::size_t{0};
  std::thread sender([&] { sent = fixture.send(0, one_mib); });
  const std::string received = fixture.receive(100'000);
  fixture.close_receiver();  // While the sender waits for room in the pipe.
  sender.join();
  REQUIRE(sent.ok());
  CHECK(*sent >= received.size());
  CHECK(*sent < one_mib);
  CHECK(received == base::as_text(fixture.expected(0, received.size())));
  const auto next = fixture.send(*sent, one_mib - *sent);
  REQUIRE_FALSE(next);
  CHECK(next.error().sys_errno() == EPIPE);
  CHECK_FALSE(is_sigpipe_pending());
}

TEST_CASE("a SIGPIPE of the application that was pending before stays pending, and its mask stays") {
  ChildProcess child([](const ChildProcess::Voice& voice) {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    ::raise(SIGPIPE);
    Fixture fixture("sendfile pending");
    fixture.connect_sockets();
    fixture.close_receiver();
    const auto sent = fixture.send(0, 1000);
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    if (!sent && is_sigpipe_pending() && sigismember(&mask, SIGPIPE) == 1) voice.say("kept");
  });
  CHECK(child.hear_all() == "kept");
}

TEST_CASE("a file that ends early gives what there is, then an error") {
  Fixture fixture("sendfile end", 1000);
  fixture.connect_sockets();
  CHECK(*fixture.send(600, 1000) == 400);
  const auto beyond = fixture.send(1000, 1);
  REQUIRE_FALSE(beyond);
  CHECK(beyond.error().code() == Errc::io_error);
  CHECK(beyond.error().sys_errno() == ENODATA);
  CHECK(beyond.error().message().find("position 1000") != std::string::npos);
  CHECK(*fixture.send(1000, 0) == 0);
}

TEST_CASE("a descriptor that is not open is an error") {
  Fixture fixture("sendfile bad", 10);
  CHECK(fixture.send(0, 10).error().sys_errno() == EBADF);
}
