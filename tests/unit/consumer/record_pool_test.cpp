#include "consumer/record_pool.hpp"

#include <doctest/doctest.h>

#include <thread>

namespace seriatim::test {
namespace {

using consumer::RecordPool;
using consumer::SectionRef;
using detail::ConsumerRecordsImpl;

TEST_CASE("what goes back to the pool comes out again, empty and with its memory") {
  const auto pool = std::make_shared<RecordPool>();
  auto records = pool->take_records();
  const auto* const address = records.get();
  records->views.room_for(100);
  records->views.added(100);
  ConsumerRecordsImpl::recycle(std::move(records));
  auto again = pool->take_records();
  CHECK(again.get() == address);
  CHECK(again->views.empty());
  CHECK(again->views.capacity() >= 100);
  ConsumerRecordsImpl::recycle(std::move(again));
}

TEST_CASE("a section goes back when its last owner lets go") {
  const auto pool = std::make_shared<RecordPool>();
  auto section = pool->take_section();
  const auto* const address = &section.bytes();
  auto second = section;
  section.reset();
  CHECK(&pool->take_section().bytes() != address);
  second.reset();
  bool came_back = false;
  std::vector<SectionRef> taken;
  for (int i = 0; i < 2; ++i) {
    taken.push_back(pool->take_section());
    came_back = came_back || &taken.back().bytes() == address;
  }
  CHECK(came_back);
}

TEST_CASE("a section that has grown large is not kept") {
  const auto pool = std::make_shared<RecordPool>();
  auto section = pool->take_section();
  section.bytes().resize(std::size_t{5} << 20);
  section.reset();
  CHECK(pool->take_section().bytes().capacity() == 0);
}

TEST_CASE("records and sections may outlive the pool's owner, on another thread too") {
  auto pool = std::make_shared<RecordPool>();
  auto records = pool->take_records();
  records->sections.push_back(pool->take_section());
  const std::weak_ptr<RecordPool> watched = pool;
  pool.reset();
  CHECK_FALSE(watched.expired());
  std::thread([&records] { ConsumerRecordsImpl::recycle(std::move(records)); }).join();
  CHECK(watched.expired());
}

TEST_CASE("an object without records becomes an empty public one") {
  const auto pool = std::make_shared<RecordPool>();
  CHECK(ConsumerRecordsImpl::wrap(pool->take_records()).empty());
  CHECK(ConsumerRecordsImpl::wrap(nullptr).empty());
}

}  // namespace
}  // namespace seriatim::test
