// The journal when the file system refuses.
#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>

#include "support/failing_vfs.hpp"
#include "unit/journal/journal_fixture.hpp"

namespace seriatim::test {
namespace {

using journal::Journal;

struct Refusals {
  std::function<bool(std::string_view what, const std::string& path)> refuses{};
  Errc code = Errc::io_error;
  int refused = 0;

  void guard(MemoryVfs& vfs) {
    vfs.before_change = [this](std::string_view what, const std::string& path) -> Result<void> {
      if (!refuses || !refuses(what, path)) return {};
      ++refused;
      return Error(code, path + ": refused by the test", 5);
    };
  }
};

bool is_temporary(const std::string& path) { return path.ends_with(".tmp"); }

TEST_CASE(
    "a failed sync is final: nobody is acknowledged, nothing more is accepted, no sync is tried again") {
  JournalWorld world;
  auto options = world.options();
  int told = 0;
  bool told_first = true;
  options.on_storage_failed = [&](const Error& cause) {
    ++told;
    told_first = told_first && world.journal->durable_lsn() == 1;
    CHECK(cause.code() == Errc::storage_failed);
  };
  world.open(std::move(options));
  world.commit("durable");
  Refusals refusals;
  refusals.refuses = [](std::string_view what, const std::string&) { return what == "sync"; };
  refusals.guard(world.vfs);
  const std::uint64_t lsn = world.stage("lost");
  const auto waited = world.journal->wait_durable(lsn);
  REQUIRE_FALSE(waited);
  CHECK(waited.error().code() == Errc::storage_failed);
  CHECK(waited.error().outcome() == Outcome::unknown);
  CHECK(told == 1);
  CHECK(told_first);
  CHECK(refusals.refused == 1);
  CHECK(world.journal->stage(frame_of("later")).error().code() == Errc::storage_failed);
  CHECK(world.journal->wait_durable(lsn).error().code() == Errc::storage_failed);
  CHECK(world.journal->check().error().code() == Errc::storage_failed);
  CHECK(world.journal->prepare_next().error().code() == Errc::storage_failed);
  CHECK(world.journal->recycle_below(2).error().code() == Errc::storage_failed);
  CHECK(world.journal->wait_durable(1));
  CHECK_FALSE(world.journal->is_durable(lsn));
  refusals.refuses = nullptr;
  CHECK(world.journal->close().error().code() == Errc::storage_failed);
  CHECK(refusals.refused == 1);
  CHECK(told == 1);
}

TEST_CASE("a failed write other than of a full disk is as final as a failed sync") {
  JournalWorld world;
  world.open();
  world.commit("durable");
  Refusals refusals;
  refusals.refuses = [](std::string_view what, const std::string&) { return what == "write"; };
  refusals.guard(world.vfs);
  CHECK(world.journal->wait_durable(world.stage("lost")).error().code() == Errc::storage_failed);
  refusals.refuses = nullptr;
  CHECK(world.journal->stage(frame_of("later")).error().code() == Errc::storage_failed);
}

TEST_CASE("a sync that fails where a file is made ready tells the owner before anything is refused") {
  JournalWorld world;
  auto options = world.options();
  int told = 0;
  bool told_first = true;
  options.on_storage_failed = [&](const Error&) {
    ++told;
    told_first = told_first && world.journal->check().ok();
  };
  world.open(std::move(options));
  world.commit("durable");
  Refusals refusals;
  refusals.code = Errc::storage_failed;
  refusals.refuses = [](std::string_view what, const std::string&) { return what == "sync"; };
  refusals.guard(world.vfs);
  CHECK(world.journal->prepare_next().error().code() == Errc::storage_failed);
  CHECK(told == 1);
  CHECK(told_first);
  CHECK(world.journal->check().error().code() == Errc::storage_failed);
}

TEST_CASE("when a sync fails, everybody who waits is told, and every pin is released") {
  JournalWorld world;
  world.open();
  world.commit("durable");
  Refusals refusals;
  refusals.refuses = [](std::string_view what, const std::string&) { return what == "sync"; };
  refusals.guard(world.vfs);
  std::atomic<int> told{0};
  const auto body = std::make_shared<const std::string>("pinned");
  int expected = 0;
  std::vector<std::thread> producers;
  for (int i = 0; i < 16; ++i) {
    const auto lsn = world.journal->stage(
        journal::StagedFrame::batch({test_id(9), 0, i, 0, 0}, base::as_bytes(*body), body));
    if (!lsn) break;  // one that waits may have been quick
    ++expected;
    producers.emplace_back([&, lsn = *lsn] {
      const auto waited = world.journal->wait_durable(lsn);
      if (!waited && waited.error().code() == Errc::storage_failed) ++told;
    });
  }
  for (auto& producer : producers) producer.join();
  static_cast<void>(world.journal->close().ok());
  CHECK(expected > 0);
  CHECK(told == expected);
  CHECK(body.use_count() == 1);
}

TEST_CASE("a failure seen elsewhere makes the journal fail, also for those who wait") {
  JournalWorld world;
  world.open();
  world.commit("durable");
  const std::uint64_t lsn = world.stage("lost");
  world.journal->fail(Error(Errc::storage_failed, "a segment could not be synced"));
  const auto waited = world.journal->wait_durable(lsn);
  REQUIRE_FALSE(waited);
  CHECK(waited.error().message().find("a segment") != std::string::npos);
  CHECK(world.journal->stage(frame_of("x")).error().code() == Errc::storage_failed);
  world.journal->fail(Error(Errc::storage_failed, "once more"));
}

TEST_CASE("no room for a file: who waits is told that nothing was written, and the next commit tries again") {
  JournalWorld world;
  world.open();
  Refusals refusals;
  refusals.code = Errc::storage_full;
  refusals.refuses = [](std::string_view what, const std::string& path) {
    return what == "allocate" && is_temporary(path);
  };
  refusals.guard(world.vfs);
  const std::uint64_t lsn = world.stage("one");
  for (int i = 0; i < 3; ++i) {
    const auto waited = world.journal->wait_durable(lsn);
    REQUIRE_FALSE(waited);
    CHECK(waited.error().code() == Errc::storage_full);
    CHECK(waited.error().message().find("nothing was written") != std::string::npos);
  }
  CHECK(refusals.refused == 3);
  CHECK(world.vfs.paths().empty());
  CHECK(world.stage("two") == lsn + 1);
  CHECK(world.journal->stats().frames_staged == 2);
  CHECK(world.journal->stats().bytes_staged > 0);
  CHECK(world.journal->stats().oldest_staged_ns != 0);
  refusals.refuses = nullptr;
  REQUIRE(world.journal->wait_durable(lsn + 1));
  CHECK(world.journal->stats().frames_staged == 0);
  CHECK(world.journal->stats().oldest_staged_ns == 0);
  world.open();
  CHECK(world.replayed == std::map<std::uint64_t, std::string>{{1, "one"}, {2, "two"}});
}

TEST_CASE("a commit whose sync does not come back has an age, although its frame is written") {
  JournalWorld world;
  world.open();
  world.commit("first");
  std::int64_t during_sync = 0;
  world.vfs.after_sync = [&](const std::string&) {
    CHECK(world.journal->stats().frames_staged == 0);
    during_sync = world.journal->stats().oldest_staged_ns;
  };
  world.commit("second");
  world.vfs.after_sync = nullptr;
  CHECK(during_sync != 0);
  CHECK(world.journal->stats().oldest_staged_ns == 0);
}

TEST_CASE(
    "no room in the middle of a write (a file system that copies): the same frames are written again later") {
  JournalWorld world;
  world.open();
  world.commit("one");
  Refusals refusals;
  refusals.code = Errc::storage_full;
  refusals.refuses = [](std::string_view what, const std::string&) { return what == "write"; };
  refusals.guard(world.vfs);
  const std::uint64_t lsn = world.stage("two");
  CHECK(world.journal->wait_durable(lsn).error().code() == Errc::storage_full);
  world.stage("three");
  refusals.refuses = nullptr;
  REQUIRE(world.journal->wait_durable(lsn));
  REQUIRE(world.journal->close());
  world.open();
  CHECK(world.replayed == std::map<std::uint64_t, std::string>{{1, "one"}, {2, "two"}, {3, "three"}});
}

TEST_CASE(
    "a full disk is got out of by a checkpoint: what it covers need not be written, its file is used again") {
  JournalWorld world;
  world.open();
  const std::string large(30'000, 'x');
  world.commit(large);
  world.commit(large);
  Refusals refusals;
  refusals.code = Errc::storage_full;
  refusals.refuses = [](std::string_view, const std::string& path) { return is_temporary(path); };
  refusals.guard(world.vfs);
  const std::uint64_t lsn = world.stage(large);
  CHECK(world.journal->wait_durable(lsn).error().code() == Errc::storage_full);

  SUBCASE("that covers what is staged") {
    const std::uint64_t next = world.stage(large);
    world.covered_lsn = lsn;
    REQUIRE(world.journal->recycle_below(lsn + 1));
    CHECK(world.journal->is_durable(lsn));
    CHECK_FALSE(world.journal->is_durable(next));
    REQUIRE(world.journal->wait_durable(next));
    world.open();
    CHECK(world.replayed == std::map<std::uint64_t, std::string>{{next, large}});
  }
  SUBCASE("that covers what is written") {
    world.covered_lsn = lsn - 1;
    REQUIRE(world.journal->recycle_below(lsn));
    REQUIRE(world.journal->wait_durable(lsn));
    world.open();
    CHECK(world.replayed == std::map<std::uint64_t, std::string>{{lsn, large}});
  }
  SUBCASE("that covers too little") {
    world.covered_lsn = 1;
    REQUIRE(world.journal->recycle_below(2));
    CHECK(world.journal->wait_durable(lsn).error().code() == Errc::storage_full);
    CHECK(world.journal->close().error().code() == Errc::storage_full);
    world.open();
    CHECK(world.replayed == std::map<std::uint64_t, std::string>{{2, large}});
  }
}

// Stages, commits, rolls, writes through, prepares and recycles; gives up at the first error.
// @return the last LSN that was acknowledged.
std::uint64_t use(Journal& journal, std::uint64_t& covered_lsn, std::uint64_t& written_lsn) {
  std::uint64_t acknowledged = journal.durable_lsn();
  for (int i = 0; i < 12; ++i) {
    const auto lsn = journal.stage(frame_of(std::string(12'000, static_cast<char>('a' + i))));
    if (!lsn) break;
    if (i % 4 == 1) {
      if (!journal.write_through(*lsn)) break;
      written_lsn = *lsn;
    } else if (!journal.wait_durable(*lsn)) {
      break;
    } else {
      acknowledged = *lsn;
    }
    if (i == 5 && !journal.prepare_next()) break;
    if (i == 8) {
      covered_lsn = acknowledged - 3;
      if (!journal.recycle_below(covered_lsn + 1)) break;
    }
  }
  return acknowledged;
}

TEST_CASE("every call refused in turn: an error for who waits, and what was acknowledged is there") {
  for (const Errc code : {Errc::io_error, Errc::storage_full}) {
    bool was_refused = true;
    for (std::int64_t step = 0; was_refused; ++step) {
      JournalWorld world;
      FailingVfs failing(world.vfs);
      world.front = &failing;
      world.open();
      failing.fail_after(step, code);
      std::uint64_t covered = 0;
      std::uint64_t written = 0;
      const std::uint64_t acknowledged = use(*world.journal, covered, written);
      const auto closed = world.journal->close();
      was_refused = failing.has_failed();
      if (!was_refused) CHECK(closed);
      failing.heal();
      world.covered_lsn = covered;
      world.open();
      REQUIRE(world.contents.next_lsn > acknowledged);
      for (std::uint64_t lsn = covered + 1; lsn <= acknowledged; ++lsn) REQUIRE(world.replayed.contains(lsn));
      // And it goes on.
      world.commit("after");
      REQUIRE(step < 1000);
    }
  }
}

}  // namespace
}  // namespace seriatim::test
