// A thread that waits for a group is woken, whichever thread ends it, and however the others ended.
#include <atomic>
#include <functional>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#include "unit/journal/journal_fixture.hpp"

namespace seriatim::test {
namespace {

// Returns when that many threads sleep.
void wait_for_sleepers(const journal::Journal& journal, std::uint64_t count) {
  while (journal.stats().waiting < count) std::this_thread::yield();
}

// Threads that wait for a frame each, and begin to sleep one after another.
class JournalWaiters {
 public:
  explicit JournalWaiters(JournalWorld& world) : world_(world) {}
  void add(std::function<Result<void>()> call) {
    const std::size_t before = threads_.size();
    outcomes_.push_back(std::make_unique<Result<void>>());
    threads_.emplace_back([call = std::move(call), to = outcomes_.back().get()] { *to = call(); });
    wait_for_sleepers(*world_.journal, before + 1);
  }
  void add_waiter(std::uint64_t lsn) {
    add([this, lsn] { return world_.journal->wait_durable(lsn); });
  }
  void join() {
    for (auto& thread : threads_) thread.join();
  }
  const Result<void>& outcome(std::size_t index) const { return *outcomes_[index]; }

 private:
  JournalWorld& world_;
  std::vector<std::unique_ptr<Result<void>>> outcomes_{};
  std::vector<std::thread> threads_{};
};

// Calls `during` from inside of the next sync of a file that is not being made.
void during_next_sync(JournalWorld& world, std::function<void()> during) {
  world.vfs.before_change = [during = std::move(during), has_run = std::make_shared<bool>(false)](
                                std::string_view what, const std::string& path) -> Result<void> {
    if (what != "sync" || path.ends_with(".tmp") || std::exchange(*has_run, true)) return {};
    during();
    return {};
  };
}

TEST_CASE("a failure seen elsewhere while a group is under way wakes all who wait for the next one") {
  JournalWorld world;
  world.open();
  world.commit("first");
  JournalWaiters waiters(world);
  std::uint64_t next = 0;
  during_next_sync(world, [&] {
    next = world.stage("next");
    for (int i = 0; i < 3; ++i) waiters.add_waiter(next);
    waiters.add([&]() -> Result<void> {
      world.journal->fail(Error(Errc::storage_failed, "a file that was being made could not be synced"));
      return {};
    });
    while (world.journal->check()) std::this_thread::yield();
    for (int i = 0; i < 3; ++i) CHECK_FALSE(world.journal->is_durable(next));
  });
  const std::uint64_t lsn = world.stage("under way");
  CHECK(world.journal->wait_durable(lsn));
  waiters.join();
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE_FALSE(waiters.outcome(i));
    CHECK(waiters.outcome(i).error().code() == Errc::storage_failed);
  }
  CHECK(world.journal->is_durable(lsn));
}

// On a full disk a group is left over; a checkpoint then has its frames, and some behind them that others
// wait for.
TEST_CASE("a checkpoint that has what somebody waits for wakes those who wait for more, too") {
  JournalWorld world;
  world.open();
  bool is_full = true;
  world.vfs.before_change = [&](std::string_view what, const std::string&) -> Result<void> {
    if (what != "allocate" || !is_full) return {};
    return Error(Errc::storage_full, "refused by the test");
  };
  JournalWaiters waiters(world);
  std::uint64_t covered = 0;
  std::uint64_t behind = 0;
  {
    // The frame is let go of by the checkpoint, with the role taken.
    const std::shared_ptr<const void> pin(&world, [&](const void*) {
      waiters.add_waiter(covered);
      waiters.add_waiter(behind);
    });
    const auto left = world.journal->stage(
        journal::StagedFrame::batch({test_id(9), 0, 0, 0, 0}, base::as_bytes("left"), pin));
    REQUIRE(left);
    CHECK(world.journal->wait_durable(*left).error().code() == Errc::storage_full);
  }
  covered = world.stage("covered");
  behind = world.stage("behind");
  is_full = false;
  REQUIRE(world.journal->recycle_below(behind));
  waiters.join();
  CHECK(waiters.outcome(0));
  CHECK(waiters.outcome(1));
  CHECK(world.journal->is_durable(behind));
}

TEST_CASE("a group that finds no memory is written by the next commit, and leaves nobody waiting") {
  JournalWorld world;
  world.open();
  world.commit("first");
  bool lacks_memory = true;
  world.vfs.before_change = [&](std::string_view what, const std::string&) -> Result<void> {
    if (what == "write" && lacks_memory) throw std::bad_alloc();
    return {};
  };
  const std::uint64_t lsn = world.stage("second");
  for (int i = 0; i < 2; ++i) CHECK(world.journal->wait_durable(lsn).error().code() == Errc::out_of_memory);
  CHECK(world.journal->write_through(lsn).error().code() == Errc::out_of_memory);
  lacks_memory = false;
  REQUIRE(world.journal->wait_durable(lsn));
  world.open();
  CHECK(world.replayed == std::map<std::uint64_t, std::string>{{1, "first"}, {2, "second"}});
}

}  // namespace
}  // namespace seriatim::test
