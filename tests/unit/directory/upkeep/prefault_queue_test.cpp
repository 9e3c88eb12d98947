#include "directory/upkeep/prefault_queue.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "unit/segment/segment_fixture.hpp"

namespace seriatim::test {
namespace {

using directory::PrefaultQueue;
TEST_CASE("segments come out in the order they went in") {
  SegmentFixture files;
  const auto first = files.create(0)->segment();
  const auto second = files.create(10)->segment();
  PrefaultQueue queue;
  queue.request(first);
  queue.request(second);
  CHECK(queue.take() == first);
  CHECK(queue.take() == second);
  queue.wake();
  CHECK(queue.take() == nullptr);
}

TEST_CASE("requests beyond what the queue holds are forgotten, the earlier ones are not") {
  SegmentFixture files;
  const auto first = files.create(0)->segment();
  const auto other = files.create(10)->segment();
  PrefaultQueue queue;
  queue.request(first);
  for (int i = 0; i < 1000; ++i) queue.request(other);
  CHECK(queue.take() == first);
  int left = 0;
  for (queue.wake(); queue.take() != nullptr; queue.wake()) ++left;
  CHECK(left > 0);
  CHECK(left < 1000);
}

TEST_CASE("a request for a journal file wakes the taker, and is told once") {
  SegmentFixture files;
  const auto segment = files.create(0)->segment();
  PrefaultQueue queue;
  CHECK_FALSE(queue.take_journal_request());
  std::thread taker([&queue] { CHECK(queue.take() == nullptr); });
  queue.request_journal_file();
  taker.join();
  CHECK(queue.take_journal_request());
  CHECK_FALSE(queue.take_journal_request());
  queue.request(segment);
  queue.request_journal_file();
  CHECK(queue.take() == segment);
}

TEST_CASE("stop wakes the taker, lets go of every segment, and later requests are not kept") {
  SegmentFixture files;
  auto segment = files.create(0)->segment();
  PrefaultQueue queue;
  std::thread taker([&queue] { CHECK(queue.take() == nullptr); });
  queue.stop();
  taker.join();
  queue.request(segment);
  CHECK(segment.use_count() == 1);
  CHECK(queue.take() == nullptr);
}

}  // namespace
}  // namespace seriatim::test
