#include "directory/topics/topic.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "unit/api/engine_fixture.hpp"

namespace seriatim::directory {
namespace {

using detail::EngineImpl;
using test::must;
using test::OpenedEngine;

TEST_CASE("a slot opens its partition once, when it is first used, for however many threads") {
  const OpenedEngine opened;
  const auto partition = must(EngineImpl::of(opened.engine)->partition_log("t", 0));
  std::atomic<int> opened_count{0};
  PartitionSlot slot([&] {
    ++opened_count;
    return Result<partition::PartitionLogPtr>(partition);
  });
  CHECK(slot.if_open() == nullptr);
  CHECK(opened_count == 0);
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const auto log = slot.log();
      if (log && *log == partition.get()) ++right;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(right == 4);
  CHECK(opened_count == 1);
  CHECK(slot.if_open() == partition);
  CHECK(must(slot.log_ptr()) == partition);
}

TEST_CASE("a partition that could not be opened is tried again by the next who needs it") {
  const OpenedEngine opened;
  const auto partition = must(EngineImpl::of(opened.engine)->partition_log("t", 0));
  bool fails = true;
  PartitionSlot slot([&]() -> Result<partition::PartitionLogPtr> {
    if (fails) return Error(Errc::storage_full, "made by the test");
    return partition;
  });
  CHECK(test::code_of(slot.log()) == Errc::storage_full);
  CHECK(slot.if_open() == nullptr);
  fails = false;
  CHECK(must(slot.log()) == partition.get());
}

TEST_CASE("a closed slot gives what is open, and opens nothing any more") {
  const OpenedEngine opened;
  const auto partition = must(EngineImpl::of(opened.engine)->partition_log("t", 0));
  PartitionSlot unopened([&] { return Result<partition::PartitionLogPtr>(partition); });
  CHECK(unopened.close(Error(Errc::closed, "made by the test")) == nullptr);
  CHECK(test::code_of(unopened.log()) == Errc::closed);
  PartitionSlot used([&] { return Result<partition::PartitionLogPtr>(partition); });
  must(used.log());
  CHECK(used.close(Error(Errc::closed, "made by the test")) == partition);
  CHECK(must(used.log()) == partition.get());
}

TEST_CASE("who asks only whether a partition is open does not wait for its opening") {
  const OpenedEngine opened;
  const auto partition = must(EngineImpl::of(opened.engine)->partition_log("t", 0));
  std::atomic<bool> is_opening{false};
  std::atomic<bool> may_go_on{false};
  PartitionSlot slot([&] {
    is_opening = true;
    test::comes_true([&] { return may_go_on.load(); });
    return Result<partition::PartitionLogPtr>(partition);
  });
  std::thread opening([&] { must(slot.log()); });
  CHECK(test::comes_true([&] { return is_opening.load(); }));
  CHECK(slot.if_open() == nullptr);
  may_go_on = true;
  opening.join();
  CHECK(slot.if_open() == partition);
}

TEST_CASE("topics that are not used open nothing") {
  const OpenedEngine opened(100);
  CHECK(EngineImpl::of(opened.engine)->topics.open_partitions().empty());
  must(must(opened.engine.producer()).send_sync({.topic = "t", .value = "x", .partition = 42}));
  CHECK(EngineImpl::of(opened.engine)->topics.open_partitions().size() == 1);
}

}  // namespace
}  // namespace seriatim::directory
