// The order of records: one of a key at a time, and a key that waits holds up nobody else.
#include "flow/parallel/key_lanes.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <vector>

#include "support/random.hpp"
#include "unit/flow/parallel/parallel_fixture.hpp"

namespace seriatim::test {
namespace {

using detail::KeyLanes;
using detail::QueuedRecord;
using detail::RecordRun;

constexpr KeyLanes::Time start{};

std::vector<Offset> offsets_of(const RecordRun& run) {
  std::vector<Offset> offsets;
  for (const QueuedRecord* record = run.first; record != nullptr; record = record->next)
    offsets.push_back(record->offset);
  return offsets;
}

using Offsets = std::vector<Offset>;

}  // namespace

TEST_CASE("records of one order are one run after the other; others are ready beside them") {
  LooseRecords records;
  KeyLanes lanes;
  for (const std::uint64_t order : {7, 7, 8, 7}) lanes.add(records.add(order));
  CHECK(lanes.ready_count() == 2);
  const RecordRun first = lanes.take(2);
  CHECK(offsets_of(first) == Offsets{0, 1});
  CHECK(offsets_of(lanes.take(2)) == Offsets{2});
  lanes.add(records.add(7));
  CHECK(lanes.ready_count() == 0);
  lanes.give_back(*first.lane);
  CHECK(offsets_of(lanes.take(9)) == Offsets{3, 4});
}

TEST_CASE("records of no order are each on their own") {
  LooseRecords records;
  KeyLanes lanes;
  for (int i = 0; i < 3; ++i) lanes.add(records.add(0));
  CHECK(lanes.ready_count() == 3);
  CHECK(offsets_of(lanes.take(9)) == Offsets{0});
}

TEST_CASE("equal orders of two partitions are two") {
  LooseRecords one;
  LooseRecords other;
  KeyLanes lanes;
  lanes.add(one.add(7));
  lanes.add(other.add(7));
  CHECK(lanes.ready_count() == 2);
}

TEST_CASE("what is put off comes again when it is due, before what is behind it, and holds up nobody else") {
  LooseRecords records;
  KeyLanes lanes;
  for (const std::uint64_t order : {7, 7, 7, 8}) lanes.add(records.add(order));
  const RecordRun run = lanes.take(2);
  lanes.put_off({run.lane, run.first->next, run.last}, start + std::chrono::seconds(2));
  CHECK(lanes.next_due() == start + std::chrono::seconds(2));
  CHECK(offsets_of(lanes.take(9)) == Offsets{3});
  lanes.add(records.add(7));
  lanes.wake(start + std::chrono::seconds(1));
  CHECK(lanes.ready_count() == 0);
  lanes.wake(start + std::chrono::seconds(2));
  CHECK(lanes.waiting_count() == 0);
  CHECK(offsets_of(lanes.take(9)) == Offsets{1, 2, 4});
}

TEST_CASE("a rest that is put back is ready at once, in front") {
  LooseRecords records;
  KeyLanes lanes;
  for (int i = 0; i < 4; ++i) lanes.add(records.add(7));
  const RecordRun run = lanes.take(2);
  lanes.put_back({run.lane, run.first->next, run.last});
  CHECK(offsets_of(lanes.take(9)) == Offsets{1, 2, 3});
}

TEST_CASE("the lanes that wait are woken by their first record, or taken, first due first") {
  LooseRecords records;
  KeyLanes lanes;
  for (const std::uint64_t order : {7, 8, 9}) lanes.add(records.add(order));
  for (const int seconds : {3, 1, 2}) {
    const RecordRun run = lanes.take(1);
    lanes.put_off(run, start + std::chrono::seconds(seconds));
  }
  lanes.wake_where([](const QueuedRecord& record) { return record.offset == 2; });
  CHECK(offsets_of(lanes.take(1)) == Offsets{2});
  CHECK(lanes.take_waiting()->first->offset == 1);
  CHECK(lanes.take_waiting()->first->offset == 0);
  CHECK(lanes.take_waiting() == nullptr);
}

TEST_CASE("whatever is taken, fails and comes again, each order stays one and loses nothing") {
  Random random("key lanes");
  LooseRecords records;
  KeyLanes lanes;
  std::map<std::uint64_t, Offsets> expected;
  std::map<std::uint64_t, Offsets> handled;
  std::vector<RecordRun> taken;
  KeyLanes::Time now{};
  int left = 5'000;
  while (left > 0 || lanes.ready_count() + lanes.waiting_count() + taken.size() > 0) {
    now += std::chrono::seconds(1);
    lanes.wake(now);
    if (left > 0 && random.one_in(2)) {
      --left;
      // As many orders as make the table grow, some of them often.
      const auto order =
          static_cast<std::uint64_t>(random.one_in(2) ? random.between(1, 5) : random.between(1, 1'000'000));
      QueuedRecord& record = records.add(order);
      expected[order].push_back(record.offset);
      lanes.add(record);
    }
    if (lanes.ready_count() > 0 && (left == 0 || random.one_in(4))) {
      taken.push_back(lanes.take(static_cast<std::size_t>(random.between(1, 4))));
      std::set<const detail::KeyLane*> distinct;
      for (const RecordRun& run : taken) distinct.insert(run.lane);
      REQUIRE(distinct.size() == taken.size());
    }
    if (taken.empty() || (left > 0 && random.one_in(2))) continue;
    const auto at = taken.begin() + random.between(0, static_cast<std::int64_t>(taken.size()) - 1);
    const RecordRun run = *at;
    taken.erase(at);
    QueuedRecord* record = run.first;
    for (; record != nullptr && !random.one_in(3); record = record->next)
      handled[record->order].push_back(record->offset);
    if (record == nullptr) {
      lanes.give_back(*run.lane);
    } else if (random.one_in(2)) {
      lanes.put_back({run.lane, record, run.last});
    } else {
      lanes.put_off({run.lane, record, run.last}, now + std::chrono::seconds(random.between(0, 50)));
    }
  }
  CHECK(handled == expected);
}

}  // namespace seriatim::test
