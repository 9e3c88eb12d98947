// The pool, its threads played by one: whoever is slow holds up its own record only.
#include "flow/parallel/parallel_pool.hpp"

#include <doctest/doctest.h>

#include <set>
#include <vector>

#include "flow/parallel/backoff.hpp"
#include "unit/flow/parallel/parallel_fixture.hpp"

namespace seriatim::test {
namespace {

using detail::ParallelPhase;
using detail::ParallelPool;
using detail::QueuedRecord;
using detail::RecordRun;
using detail::RestFate;
using detail::WorkerSlot;

struct Pool {
  explicit Pool(std::size_t workers = 2) : options(in_parallel(workers)) {
    pool.set_waker([this] { ++wakes; });
  }
  QueuedRecord& add(std::uint64_t order) {
    QueuedRecord& record = records.add(order);
    pool.add(records.partition, {&record, 1});
    return record;
  }
  const RecordRun& claim(std::size_t worker) {
    const RecordRun* const run = pool.slot(worker).claim();
    REQUIRE(run != nullptr);
    return *run;
  }

  ParallelConsumerOptions options;
  LooseRecords records{};
  ParallelPool pool{options};
  int wakes = 0;
};

}  // namespace

TEST_CASE("workers take a fair part, and a free one takes half of what a busy one has not come to") {
  Pool p;
  for (std::uint64_t order = 1; order <= 8; ++order) p.add(order);
  REQUIRE(p.pool.fill(p.pool.slot(0)));
  CHECK(p.pool.slot(0).unclaimed() == 4);
  REQUIRE(p.pool.fill(p.pool.slot(1)));
  CHECK(p.pool.slot(1).unclaimed() == 2);
  std::set<Offset> seen;
  const auto work = [&](std::size_t worker) {
    while (const RecordRun* const run = p.pool.slot(worker).claim()) {
      CHECK(seen.insert(run->first->offset).second);
      p.pool.slot(worker).note({.run = *run});
    }
  };
  // Worker 0 never comes back from its first record.
  seen.insert(p.claim(0).first->offset);
  while (p.pool.status().in_flight_records > 1) {
    work(1);
    if (p.pool.status().in_flight_records > 1) REQUIRE(p.pool.fill(p.pool.slot(1)));
  }
  CHECK(seen.size() == 8);
  CHECK(p.pool.slot(0).claim() == nullptr);
}

TEST_CASE("others collect what a worker has finished while it is busy, and what is behind it is ready") {
  Pool p;
  p.add(1);
  p.add(2);
  p.add(2);
  p.add(1);
  REQUIRE(p.pool.fill(p.pool.slot(0)));
  REQUIRE(p.pool.slot(0).unclaimed() == 1);
  const RecordRun run = p.claim(0);
  p.add(1);
  CHECK(run.first->offset == 0);
  p.pool.slot(0).note({.run = run});
  CHECK(p.pool.status().handled_records == 2);
  CHECK(p.records.partition.in_flight == 3);
  REQUIRE(p.pool.fill(p.pool.slot(1)));
  CHECK(p.claim(1).first->offset == 1);
  p.pool.report();
  REQUIRE(p.pool.fill(p.pool.slot(0)));
  CHECK(p.claim(0).first->offset == 4);
}

TEST_CASE("a record that waits for its retry is not in the way, and the rest of its run waits with it") {
  Pool p(1);
  for (const std::uint64_t order : {1, 1, 1, 2}) p.add(order);
  REQUIRE(p.pool.fill(p.pool.slot(0)));
  const RecordRun run = p.claim(0);
  const auto due = std::chrono::steady_clock::now() + std::chrono::hours(1);
  p.pool.slot(0).note({.run = run, .rest = run.first->next, .fate = RestFate::wait, .due = due});
  CHECK(p.claim(0).first->offset == 3);
  const ParallelStatus status = p.pool.status();
  CHECK(status.handled_records == 1);
  CHECK(status.in_flight_records == 3);
  CHECK(status.waiting_keys == 1);
}

TEST_CASE(
    "a drain drops what waits for a retry, with all behind it, and what fails then; the rest is handled") {
  Pool p(1);
  for (const std::uint64_t order : {1, 1, 2, 3, 3}) p.add(order);
  REQUIRE(p.pool.fill(p.pool.slot(0)));
  const RecordRun waits = p.claim(0);
  p.pool.slot(0).note({.run = waits,
                       .rest = waits.first,
                       .fate = RestFate::wait,
                       .due = std::chrono::steady_clock::now() + std::chrono::hours(1)});
  CHECK(p.pool.status().waiting_keys == 1);
  p.pool.go_on_to(ParallelPhase::draining);
  CHECK(p.pool.status().in_flight_records == 3);
  p.add(4);  // too late
  CHECK(p.pool.status().in_flight_records == 3);
  CHECK(p.pool.is_wanted(p.records.partition));
  p.pool.slot(0).note({.run = p.claim(0)});
  const RecordRun fails = p.claim(0);
  p.wakes = 0;
  p.pool.slot(0).note({.run = fails, .rest = fails.first, .fate = RestFate::wait});
  p.pool.report();
  CHECK(p.pool.status().in_flight_records == 0);
  CHECK(p.pool.status().handled_records == 1);
  CHECK(p.wakes > 0);
  CHECK(p.records.partition.window.position() == 0);
}

TEST_CASE("a dropped partition's records are not wanted; one of them with a handler is waited for") {
  Pool p;
  p.add(1);
  p.add(1);
  p.add(2);
  REQUIRE(p.pool.fill(p.pool.slot(0)));
  const RecordRun run = p.claim(0);
  p.pool.slot(0).handling = &p.records.partition;
  p.pool.drop(p.records.partition);
  CHECK_FALSE(p.pool.is_wanted(p.records.partition));
  CHECK_FALSE(p.pool.wait_until_unhandled(p.records.partition, std::chrono::milliseconds(0)));
  p.pool.slot(0).note({.run = run, .rest = run.first->next, .fate = RestFate::wait});
  p.pool.slot(0).handling = nullptr;
  CHECK(p.pool.wait_until_unhandled(p.records.partition, std::chrono::milliseconds(0)));
  CHECK(p.records.partition.window.position() == 1);
  CHECK(p.records.partition.in_flight == 1);
}

TEST_CASE("the pool is full by records or by bytes, and tells when there is space for half") {
  Pool p(1);
  p.options.max_in_flight_records = 4;
  for (std::uint64_t order = 1; order <= 4; ++order) {
    CHECK_FALSE(p.pool.is_full());
    p.add(order);
  }
  CHECK(p.pool.is_full());
  REQUIRE(p.pool.fill(p.pool.slot(0)));
  p.pool.slot(0).note({.run = p.claim(0)});
  p.pool.report();
  CHECK(p.wakes == 0);
  p.pool.slot(0).note({.run = p.claim(0)});
  p.pool.report();
  CHECK(p.wakes == 1);
  CHECK_FALSE(p.pool.is_full());
}

TEST_CASE("back-off is fixed or grows up to its bound, and chance only shortens it") {
  using namespace std::chrono_literals;
  const ParallelBackoff fixed{.initial = 50ms, .multiplier = 1, .max = 1s, .jitter = 0};
  CHECK(detail::backoff_of(fixed, 1, 0.5) == 50ms);
  CHECK(detail::backoff_of(fixed, 1'000'000, 0.5) == 50ms);
  const ParallelBackoff grows{.initial = 100ms, .multiplier = 2, .max = 1s, .jitter = 0.5};
  CHECK(detail::backoff_of(grows, 1, 0) == 100ms);
  CHECK(detail::backoff_of(grows, 3, 0) == 400ms);
  CHECK(detail::backoff_of(grows, 3, 1) == 200ms);
  CHECK(detail::backoff_of(grows, 5, 0) == 1s);
  CHECK(detail::backoff_of(grows, 4'000'000'000, 0) == 1s);
  CHECK(detail::backoff_of({.initial = 0ms, .multiplier = 1'000}, 1'000'000, 1) == 0ns);
}

}  // namespace seriatim::test
