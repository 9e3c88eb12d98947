#include "directory/upkeep/job_queue.hpp"

#include <doctest/doctest.h>

#include <thread>

namespace seriatim::directory {
namespace {

TEST_CASE("jobs come out in the order they went in, and no more than there is room for") {
  JobQueue queue;
  for (std::size_t i = 0; i < JobQueue::capacity; ++i) CHECK(queue.push(i));
  CHECK_FALSE(queue.push(99));
  CHECK(queue.take() == std::size_t{0});
  CHECK(queue.take_ready() == std::size_t{1});
  CHECK(queue.push(99));
}

TEST_CASE("a taker that waits gets the next job, and every one is woken at the end") {
  JobQueue queue;
  CHECK_FALSE(queue.take_ready().has_value());
  std::thread first([&] { CHECK(queue.take() == std::size_t{7}); });
  CHECK(queue.push(7));
  first.join();
  std::thread second([&] { CHECK_FALSE(queue.take().has_value()); });
  std::thread third([&] { CHECK_FALSE(queue.take().has_value()); });
  queue.stop();
  second.join();
  third.join();
  CHECK_FALSE(queue.push(1));
}

}  // namespace
}  // namespace seriatim::directory
