#include "unit/partition/writer_fixture.hpp"

#include <atomic>
#include <new>
#include <thread>

namespace seriatim::test {
namespace {

TEST_CASE("sync_to returns when what was asked for is durable, and costs nothing where it is already") {
  WriterFixture f(100'000);
  f.open();
  f.put("a", "1");
  f.put("b", "2");
  CHECK(f.partition->durable_offset() == 0);
  must(f.partition->sync_to(1));
  CHECK(f.partition->durable_offset() == 2);  // one sync covers all there is
  const auto syncs = f.world->counters.syncs.value();
  must(f.partition->sync_to(2));
  must(f.partition->sync());
  CHECK(f.world->counters.syncs.value() == syncs);
}

TEST_CASE("group commit: writers that wait together share syncs, and each finds its own record durable") {
  WriterFixture f(10'000'000);
  f.open();
  constexpr int threads = 8;
  constexpr int appends = 50;
  std::atomic<int> failures{0};
  std::vector<std::thread> writers;
  for (int t = 0; t < threads; ++t) {
    writers.emplace_back([&] {
      for (int i = 0; i < appends; ++i) {
        auto bytes = make_batch({});
        const auto appended = f.partition->append(format::framed_batch(bytes));
        if (!appended || !f.partition->sync_to(appended->last_offset + 1) ||
            f.partition->durable_offset() <= appended->last_offset)
          ++failures;
      }
    });
  }
  for (auto& writer : writers) writer.join();
  CHECK(failures == 0);
  CHECK(f.partition->durable_offset() == threads * appends);
  CHECK(f.world->counters.syncs.value() <= threads * appends);
}

TEST_CASE(
    "a failed sync is final: nobody is acknowledged, nothing more is accepted, no sync is tried again, "
    "reopening reads back") {
  WriterFixture f(100'000);
  f.open();
  f.put("a", "1");
  must(f.partition->sync());
  f.put("b", "2");
  f.vfs.fail_after(0);
  const auto synced = f.partition->sync();
  REQUIRE_FALSE(synced);
  CHECK(synced.error().code() == Errc::storage_failed);
  CHECK(synced.error().outcome() == Outcome::unknown);
  CHECK(f.partition->durable_offset() == 1);
  CHECK(f.world->health.has_failed());
  f.vfs.heal();
  const auto syncs = f.world->counters.syncs.value();
  CHECK(f.partition->sync().error().code() == Errc::storage_failed);
  CHECK(f.world->counters.syncs.value() == syncs);
  const auto appended = f.try_put({{"c", "3"}});
  REQUIRE_FALSE(appended);
  CHECK(appended.error().code() == Errc::storage_failed);
  CHECK(says(appended.error().message(), {"open it again", "made to fail"}));
  CHECK(f.partition->close().error().code() == Errc::storage_failed);
  CHECK(f.rows().size() == 2);  // reading goes on
  f.reopen_after_crash();
  CHECK(f.rows().size() == 2);
  f.put("c", "3");
  must(f.partition->sync());
  CHECK(f.partition->durable_offset() == 3);
}

TEST_CASE("everybody who waits for a sync that fails is told") {
  WriterFixture f(10'000'000);
  f.open();
  f.put("a", "1");
  f.vfs.fail_after(0);
  std::atomic<int> told{0};
  std::vector<std::thread> waiters;
  for (int t = 0; t < 6; ++t) {
    waiters.emplace_back([&] {
      const auto synced = f.partition->sync_to(1);
      if (!synced && synced.error().code() == Errc::storage_failed &&
          synced.error().outcome() == Outcome::unknown)
        ++told;
    });
  }
  for (auto& waiter : waiters) waiter.join();
  CHECK(told == 6);
  CHECK(f.world->counters.failed_syncs.value() == 1);
}

TEST_CASE("a sync that finds no memory leaves nobody waiting for its end") {
  WriterFixture f(100'000);
  f.open();
  f.world->environment.make_decisions_durable = [&](std::uint64_t) -> Result<> { throw std::bad_alloc(); };
  partition::PartitionRequest request = f.request;
  request.directory += "-other";
  const auto partition = must(partition::Partition::open(f.world->environment, request));
  must(partition->append_marker({.type = format::ControlType::commit, .producer_id = 1, .producer_epoch = 0},
                                7));
  for (int i = 0; i < 2; ++i) {
    const auto synced = partition->sync();
    REQUIRE_FALSE(synced);
    CHECK(synced.error().code() == Errc::out_of_memory);
    CHECK(synced.error().outcome() == Outcome::unknown);
  }
}

TEST_CASE("a sealed segment is synced, with its indexes, before the recovery point leaves it") {
  WriterFixture f(100'000);
  f.open();
  f.put("a", "1");
  must(f.partition->sync());
  must(f.partition->roll());
  // Its records are durable; its length and its indexes are not.
  CHECK(f.partition->checkpoint().recovery_segment_base == 0);
  const auto syncs = f.world->counters.syncs.value();
  must(f.partition->sync());
  CHECK(f.world->counters.syncs.value() > syncs);
  CHECK(f.partition->checkpoint().recovery_segment_base == 1);
  CHECK(f.partition->checkpoint().recovery_position == 0);
  const auto settled = f.world->counters.syncs.value();
  must(f.partition->sync());
  CHECK(f.world->counters.syncs.value() == settled);
}

TEST_CASE("a sync covers every segment sealed since the last one") {
  WriterFixture f(300);
  f.open();
  f.fill(5, 3);
  must(f.partition->sync());
  CHECK(f.partition->durable_offset() == f.partition->log_end_offset());
  CHECK(f.world->counters.syncs.value() == 5);
}

TEST_CASE("retention may take a segment that waits to be synced; syncing goes on without it") {
  WriterFixture f(300);
  f.request.config.retention_bytes = 0;
  f.open();
  f.fill(4, 3);
  must(f.partition->apply_retention());
  f.put("a", "1");
  must(f.partition->sync());
  CHECK(f.partition->durable_offset() == f.partition->log_end_offset());
}

TEST_CASE("retention that takes a segment while it is being synced fails no sync") {
  WriterFixture f(300);
  f.request.config.retention_bytes = 600;
  f.open();
  std::atomic<bool> done{false};
  std::atomic<int> failures{0};
  std::thread cleaner([&] {
    while (!done) {
      if (!f.partition->apply_retention()) ++failures;
    }
  });
  for (int i = 0; i < 300; ++i) {
    auto bytes = make_batch({.size_bytes = 150});
    const auto appended = f.partition->append(format::framed_batch(bytes));
    if (!appended || !f.partition->sync()) ++failures;
  }
  done = true;
  cleaner.join();
  CHECK(failures == 0);
  CHECK(f.partition->log_start_offset() > 0);
  CHECK_FALSE(f.world->health.has_failed());
}

TEST_CASE("flush.ms is overdue once something has not been durable for so long, and not before") {
  WriterFixture f(100'000);
  f.request.config.flush_ms = 100;
  f.open();
  constexpr std::int64_t ms = 1'000'000;
  CHECK_FALSE(f.partition->is_flush_overdue(0));
  f.put("a", "1");
  CHECK_FALSE(f.partition->is_flush_overdue(10 * ms));
  f.put("b", "2");
  CHECK_FALSE(f.partition->is_flush_overdue(109 * ms));
  CHECK(f.partition->is_flush_overdue(110 * ms));
  must(f.partition->sync());
  CHECK_FALSE(f.partition->is_flush_overdue(500 * ms));
  f.put("c", "3");
  CHECK_FALSE(f.partition->is_flush_overdue(501 * ms));
  CHECK(f.partition->is_flush_overdue(601 * ms));
}

TEST_CASE("without flush.ms nothing is ever overdue") {
  WriterFixture f(100'000);
  f.open();
  f.put("a", "1");
  CHECK_FALSE(f.partition->is_flush_overdue(0));
  CHECK_FALSE(f.partition->is_flush_overdue(std::numeric_limits<std::int64_t>::max()));
}

}  // namespace
}  // namespace seriatim::test
