#include "consumer/parker.hpp"

#include <doctest/doctest.h>
#include <poll.h>

#include <atomic>
#include <thread>

#include "base/clock.hpp"

namespace seriatim::test {
namespace {

using consumer::Parker;

bool is_slot_readable(int descriptor) {
  pollfd asked{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&asked, 1, 0) == 1 && (asked.revents & POLLIN) != 0;
}

std::int64_t far_away() { return base::system_clock().monotonic_ns() + 60'000'000'000; }

TEST_CASE("a wake after the ticket was taken is not slept through") {
  Parker slot;
  const auto ticket = slot.ticket();
  slot.on_append();
  const auto deadline = far_away();
  slot.sleep(ticket, deadline);
  CHECK(base::system_clock().monotonic_ns() < deadline);
}

TEST_CASE("a wake ends a sleep that has begun") {
  Parker slot;
  std::atomic<bool> has_woken{false};
  const auto deadline = far_away();
  std::thread sleeper([&] {
    const auto ticket = slot.ticket();
    while (slot.ticket() == ticket) slot.sleep(ticket, deadline);
    has_woken = true;
  });
  // Again and again: the first may come before the ticket is taken.
  while (!has_woken) {
    slot.wake();
    std::this_thread::yield();
  }
  sleeper.join();
  CHECK(base::system_clock().monotonic_ns() < deadline);
}

TEST_CASE("an interruption is told once") {
  Parker slot;
  CHECK_FALSE(slot.take_interrupt());
  slot.interrupt();
  CHECK(slot.is_interrupted());
  CHECK(slot.take_interrupt());
  CHECK_FALSE(slot.take_interrupt());
}

TEST_CASE("the descriptor is readable from a wake to the next clear") {
  Parker slot;
  CHECK_FALSE(slot.has_event());
  slot.wake();
  const int descriptor = slot.event_fd();
  REQUIRE(descriptor >= 0);
  CHECK(slot.event_fd() == descriptor);
  CHECK_FALSE(is_slot_readable(descriptor));
  for (int round = 0; round < 3; ++round) {
    slot.wake();
    slot.wake();
    CHECK(is_slot_readable(descriptor));
    slot.clear_event();
    CHECK_FALSE(is_slot_readable(descriptor));
  }
}

}  // namespace
}  // namespace seriatim::test
