#include "os/thread/event_fd.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/child_process.hpp"

using namespace seriatim;
using os::EventFd;
using test::ChildProcess;

namespace {

bool is_readable(const EventFd& event) {
  pollfd poll{event.descriptor(), POLLIN, 0};
  return ::poll(&poll, 1, 0) == 1;
}

}  // namespace

TEST_CASE("it is readable from the first signal until it is cleared") {
  auto event = EventFd::create();
  REQUIRE(event);
  CHECK_FALSE(is_readable(*event));
  CHECK_FALSE(event->clear());
  event->signal();
  event->signal();
  CHECK(is_readable(*event));
  CHECK(event->clear());
  CHECK_FALSE(is_readable(*event));
  CHECK_FALSE(event->clear());
}

TEST_CASE("signalling never blocks, even at the counter's maximum") {
  auto event = EventFd::create();
  REQUIRE(event);
  const std::uint64_t most = 0xFFFF'FFFF'FFFF'FFFE;
  REQUIRE(::write(event->descriptor(), &most, sizeof(most)) == sizeof(most));
  event->signal();
  CHECK(event->clear());
}

TEST_CASE("it is closed on exec, by its destructor, and once") {
  int descriptor = -1;
  {
    auto event = EventFd::create();
    REQUIRE(event);
    descriptor = event->descriptor();
    CHECK((::fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
    EventFd moved(std::move(*event));
    CHECK(event->descriptor() == -1);
    CHECK(moved.descriptor() == descriptor);
    EventFd assigned;
    assigned = std::move(moved);
    CHECK(assigned.descriptor() == descriptor);
  }
  CHECK(::fcntl(descriptor, F_GETFD) == -1);
}

TEST_CASE("without a descriptor left, creating one says so") {
  ChildProcess child([](const ChildProcess::Voice& voice) {
    const int lowest_free = ::dup(0);
    ::close(lowest_free);
    const rlimit limit{static_cast<rlim_t>(lowest_free), static_cast<rlim_t>(lowest_free)};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    const auto event = EventFd::create();
    if (!event) voice.say(std::string(event.error().name()));
  });
  CHECK(child.hear_all() == "TOO_MANY_OPEN_FILES");
}
