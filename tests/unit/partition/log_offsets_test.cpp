#include "partition/log_offsets.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "support/child_process.hpp"

namespace seriatim::test {
namespace {

using partition::LogOffsets;

template <class Change>
bool aborts(const Change& change) {
  ChildProcess child([&](const ChildProcess::Voice& voice) {
    voice.take_stderr();
    LogOffsets offsets;
    offsets.reset(10, 20, 30);
    change(offsets);
  });
  child.hear_all();
  return child.wait() == -SIGABRT;
}

TEST_CASE("INV-1: an order of offsets that would be wrong is refused by an assertion") {
  CHECK(aborts([](LogOffsets& offsets) { offsets.advance_durable(31); }));
  CHECK(aborts([](LogOffsets& offsets) { offsets.advance_log_start(31); }));
  CHECK(aborts([](LogOffsets& offsets) { offsets.publish_log_end(29); }));
  CHECK(aborts([](LogOffsets& offsets) { offsets.reset(31, 20, 30); }));
  CHECK(aborts([](LogOffsets& offsets) { offsets.reset(10, 31, 30); }));
  CHECK_FALSE(aborts([](LogOffsets& offsets) { offsets.advance_durable(30); }));
}

TEST_CASE("offsets only move forwards") {
  LogOffsets offsets;
  offsets.reset(10, 20, 30);
  offsets.advance_durable(15);
  offsets.advance_log_start(5);
  CHECK(offsets.durable() == 20);
  CHECK(offsets.log_start() == 10);
  offsets.publish_log_end(31);
  CHECK(offsets.high_watermark() == 31);
}

TEST_CASE("INV-4: a commit that is not settled is below the durable stable offset once its marker is") {
  LogOffsets offsets;
  offsets.reset(0, 0, 100);
  CHECK(offsets.durable_stable() == 0);
  offsets.advance_durable(15);
  CHECK(offsets.durable_stable() == 15);
  offsets.note_unsettled(10, 20);
  CHECK(offsets.durable_stable() == 10);
  offsets.note_unsettled(12, 30);  // settled with the first, not before
  offsets.advance_durable(21);
  CHECK(offsets.durable_stable() == 10);
  offsets.advance_durable(31);
  CHECK(offsets.durable_stable() == 31);
  offsets.note_unsettled(25, 40);
  CHECK(offsets.durable_stable() == 25);
  offsets.note_unsettled(24, 50);  // began earlier
  CHECK(offsets.durable_stable() == 24);
  offsets.advance_durable(100);
  offsets.held_back().add(60);
  CHECK(offsets.durable_stable() == 60);
}

TEST_CASE("what is settled is below the durable stable offset while there is always a commit that is not") {
  LogOffsets offsets;
  offsets.reset(0, 0, 100);
  offsets.note_unsettled(0, 1);
  for (Offset end = 2; end < 20; end += 2) {
    offsets.note_unsettled(end, end + 1);  // While the disk is busy.
    offsets.advance_durable(end);
    offsets.advance_settled(end);
    CHECK(offsets.durable_stable() == end);
  }
  // One that was open when the disk was asked.
  offsets.note_unsettled(18, 25);
  offsets.advance_durable(24);
  offsets.advance_settled(18);
  CHECK(offsets.durable_stable() == 18);
  offsets.advance_settled(10);
  CHECK(offsets.durable_stable() == 18);
}

TEST_CASE("INV-1: no thread ever sees the durable offset or the log start beyond the log end") {
  LogOffsets offsets;
  std::atomic<bool> done{false};
  std::atomic<int> violations{0};
  std::thread reader([&] {
    while (!done) {
      const Offset durable = offsets.durable();
      const Offset start = offsets.log_start();
      const Offset end = offsets.log_end();
      if (durable > end || start > end) ++violations;
    }
  });
  for (Offset end = 1; end < 200'000; ++end) {
    offsets.publish_log_end(end);
    offsets.advance_durable(end);
    offsets.advance_log_start(end);
  }
  done = true;
  reader.join();
  CHECK(violations == 0);
}

}  // namespace
}  // namespace seriatim::test
