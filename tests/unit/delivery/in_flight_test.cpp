#include "delivery/in_flight.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace seriatim::delivery {
namespace {

std::chrono::steady_clock::time_point now() { return std::chrono::steady_clock::now(); }
std::chrono::steady_clock::time_point long_after() { return now() + std::chrono::seconds(60); }

TEST_CASE("waiting ends when everything before it has ended, in whatever order, and not sooner") {
  const auto in_flight = std::make_shared<InFlight>();
  CHECK(in_flight->wait_for_earlier(now()));
  InFlightMark first(in_flight);
  CHECK_FALSE(in_flight->wait_for_earlier(now()));
  InFlightMark second(in_flight);
  CHECK_FALSE(in_flight->wait_for_earlier(now()));
  second.release();
  CHECK_FALSE(in_flight->wait_for_earlier(now()));
  first.release();
  CHECK(in_flight->wait_for_earlier(now()));
}

TEST_CASE("a steady stream of records does not keep a flush waiting") {
  const auto in_flight = std::make_shared<InFlight>();
  std::atomic<bool> stop{false};
  std::atomic<bool> running{false};
  std::thread stream([&] {
    InFlightMark held(in_flight);
    while (!stop) {
      InFlightMark next(in_flight);  // There is never a moment without one.
      held = std::move(next);
      running = true;
    }
  });
  while (!running) std::this_thread::yield();
  for (int i = 0; i < 100; ++i) CHECK(in_flight->wait_for_earlier(long_after()));
  stop = true;
  stream.join();
  CHECK(in_flight->wait_for_earlier(now()));
}

TEST_CASE("marks move, and each is counted once") {
  const auto in_flight = std::make_shared<InFlight>();
  {
    std::vector<InFlightMark> marks;
    for (int i = 0; i < 50; ++i) marks.emplace_back(in_flight);
    marks.front() = InFlightMark(in_flight);
    CHECK_FALSE(in_flight->wait_for_earlier(now()));
  }
  CHECK(in_flight->wait_for_earlier(now()));
}

}  // namespace
}  // namespace seriatim::delivery
