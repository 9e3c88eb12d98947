#include "journal/journal.hpp"

#include <array>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "support/allocation_counter.hpp"
#include "unit/journal/journal_fixture.hpp"

namespace seriatim::test {
namespace {

using journal::Journal;

TEST_CASE("what was waited for is there after a power cut, and nothing exists before the first frame") {
  JournalWorld world;
  Random random("journal: power cut");
  world.open();
  CHECK(world.vfs.paths().empty());
  CHECK(world.journal->durable_lsn() == 0);
  CHECK(world.commit("one") == 1);
  CHECK(world.commit("two") == 2);
  CHECK(world.journal->is_durable(2));
  world.vfs.cut_power();
  world.journal.reset();
  world.vfs.restart(random);
  world.open();
  CHECK(world.replayed == std::map<std::uint64_t, std::string>{{1, "one"}, {2, "two"}});
  CHECK(world.commit("three") == 3);
  world.open();
  CHECK(world.replayed.size() == 3);
}

TEST_CASE("a group is one write and one fdatasync, whatever is in it") {
  JournalWorld world;
  world.open();
  world.commit("first");  // makes the file
  int writes = 0;
  int syncs = 0;
  world.vfs.before_change = [&](std::string_view what, const std::string&) -> Result<void> {
    writes += what == "write";
    syncs += what == "sync";
    return {};
  };
  std::uint64_t last = 0;
  for (int i = 0; i < 20; ++i) last = world.stage("frame " + std::to_string(i));
  REQUIRE(world.journal->wait_durable(last));
  CHECK(writes == 1);
  CHECK(syncs == 1);
  REQUIRE(world.journal->wait_durable(last));
  REQUIRE(world.journal->wait_durable(1));
  CHECK(syncs == 1);
  const auto stats = world.journal->stats();
  CHECK(stats.frames == 21);
  CHECK(stats.groups == 2);
  CHECK(stats.syncs == 2);
  CHECK(stats.durable_lsn == last);
  CHECK(stats.frames_staged == 0);
}

TEST_CASE("many threads share groups, each finds its own frame durable, and all frames are there in order") {
  JournalWorld world;
  world.open();
  constexpr int threads = 8;
  constexpr int commits = 200;
  std::atomic<int> failures{0};
  std::vector<std::thread> producers;
  for (int t = 0; t < threads; ++t) {
    producers.emplace_back([&, t] {
      for (int i = 0; i < commits; ++i) {
        const auto lsn = world.journal->stage(frame_of(std::to_string(t) + "/" + std::to_string(i)));
        if (!lsn || !world.journal->wait_durable(*lsn) || !world.journal->is_durable(*lsn)) ++failures;
      }
    });
  }
  for (auto& producer : producers) producer.join();
  CHECK(failures == 0);
  const auto stats = world.journal->stats();
  CHECK(stats.frames == threads * commits);
  CHECK(stats.groups <= stats.frames);
  CHECK(stats.files > 1);
  // Rolling to the next file adds none.
  CHECK(stats.syncs == stats.groups);
  world.open();
  CHECK(world.replayed.size() == threads * commits);
  std::set<std::string> bodies;
  for (const auto& [lsn, body] : world.replayed) bodies.insert(body);
  CHECK(bodies.size() == threads * commits);
}

TEST_CASE("nobody is answered before the sync that covers the frame has ended") {
  JournalWorld world;
  world.open();
  // Frames written when a sync begins are durable when it has ended.
  std::uint64_t written_at_sync = 0;
  std::atomic<std::uint64_t> covered_by_sync{0};
  const Journal* journal = world.journal.get();
  world.vfs.before_change = [&](std::string_view what, const std::string&) -> Result<void> {
    if (what == "sync") written_at_sync = journal->stats().written_lsn;
    return {};
  };
  world.vfs.after_sync = [&](const std::string&) { covered_by_sync = written_at_sync; };
  std::atomic<int> early{0};
  std::vector<std::thread> producers;
  for (int t = 0; t < 4; ++t) {
    producers.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        const auto lsn = world.journal->stage(frame_of("x"));
        if (!lsn || !world.journal->wait_durable(*lsn) || covered_by_sync.load() < *lsn) ++early;
      }
    });
  }
  for (auto& producer : producers) producer.join();
  CHECK(world.journal->close());
  CHECK(early == 0);
}

TEST_CASE("checkpoints and preparation in the background disturb no commit, and the ring stays small") {
  JournalWorld world;
  world.open();
  REQUIRE(world.journal->recycle_below(1));
  std::atomic<bool> is_done{false};
  std::atomic<int> failures{0};
  std::thread background([&] {
    while (!is_done) {
      const std::uint64_t covered = world.journal->durable_lsn();
      if (!world.journal->prepare_next() || !world.journal->recycle_below(covered + 1)) ++failures;
    }
  });
  std::vector<std::thread> producers;
  for (int t = 0; t < 4; ++t) {
    producers.emplace_back([&, t] {
      for (int i = 0; i < 400; ++i) {
        const auto lsn = world.journal->stage(frame_of(std::string(1000, 'x')));
        const bool is_good =
            lsn && (t == 0 ? world.journal->write_through(*lsn) : world.journal->wait_durable(*lsn));
        failures += !is_good;
      }
    });
  }
  for (auto& producer : producers) producer.join();
  is_done = true;
  background.join();
  CHECK(failures == 0);
  REQUIRE(world.journal->wait_durable(1600));
  REQUIRE(world.journal->recycle_below(1601));
  CHECK(world.journal->stats().files <= 1);
  // None was begun since: what the threads needed between two checkpoints goes.
  REQUIRE(world.journal->recycle_below(1601));
  CHECK(world.journal->stats().spare_files <= 3);
  world.covered_lsn = 1600;
  REQUIRE(world.journal->close());
  world.open();
  CHECK(world.contents.next_lsn == 1601);
}

TEST_CASE(
    "write_through writes without a sync: the frame survives the process, and becomes durable with the "
    "next") {
  JournalWorld world;
  world.open();
  world.commit("first");
  int syncs = 0;
  world.vfs.before_change = [&](std::string_view what, const std::string&) -> Result<void> {
    syncs += what == "sync";
    return {};
  };
  const std::uint64_t lsn = world.stage("written");
  REQUIRE(world.journal->write_through(lsn));
  CHECK(syncs == 0);
  CHECK_FALSE(world.journal->is_durable(lsn));
  CHECK(world.journal->stats().written_lsn == lsn);
  Collector seen;
  REQUIRE(world.read(seen, false));  // as another process would, with this one killed
  CHECK(seen.frames.at(lsn) == "written");
  REQUIRE(world.journal->wait_durable(lsn));
  CHECK(syncs == 1);
}

TEST_CASE("write_through does not wait for a sync that is under way") {
  JournalWorld world;
  world.open();
  world.commit("first");
  std::uint64_t beside = 0;
  world.vfs.before_change = [&](std::string_view what, const std::string&) -> Result<void> {
    // From inside the sync itself: whoever waited for its end would wait for ever.
    if (what != "sync" || beside != 0) return {};
    beside = world.stage("beside");
    REQUIRE(world.journal->write_through(beside));
    CHECK(world.journal->stats().written_lsn == beside);
    return {};
  };
  const std::uint64_t lsn = world.stage("synced");
  REQUIRE(world.journal->wait_durable(lsn));
  REQUIRE(beside == lsn + 1);
  // The sync had begun before it was written, and promises nothing of it.
  CHECK_FALSE(world.journal->is_durable(beside));
  REQUIRE(world.journal->wait_durable(beside));
  CHECK(world.journal->is_durable(beside));
}

TEST_CASE("what was written beside a sync is synced by the next, and survives a power cut from then on") {
  Random random("written beside a sync");
  for (int round = 0; round < 200; ++round) {
    JournalWorld world;
    world.open();
    world.commit("first");  // makes the file, with syncs of its own
    std::uint64_t beside = 0;
    world.vfs.before_change = [&](std::string_view what, const std::string&) -> Result<void> {
      if (what != "sync" || beside != 0) return {};
      beside = world.stage("beside");
      REQUIRE(world.journal->write_through(beside));
      return {};
    };
    const std::uint64_t lsn = world.commit("synced");
    const bool is_waited_for = random.one_in(2);
    if (is_waited_for) REQUIRE(world.journal->wait_durable(beside));
    world.vfs.before_change = {};
    world.vfs.cut_power();
    world.journal.reset();
    world.vfs.restart(random);
    Collector seen;
    REQUIRE(world.read(seen, true));
    CHECK(seen.frames.contains(lsn));
    if (is_waited_for) CHECK(seen.frames.contains(beside));
  }
}

TEST_CASE("pins are held until their frames are written, and released then") {
  JournalWorld world;
  world.open();
  const auto body = std::make_shared<const std::string>("pinned");
  const auto lsn = world.journal->stage(
      journal::StagedFrame::batch({test_id(9), 0, 0, 0, 0}, base::as_bytes(*body), body));
  REQUIRE(lsn);
  CHECK(body.use_count() == 2);
  long count_at_write = 0;
  world.vfs.before_change = [&](std::string_view what, const std::string& path) -> Result<void> {
    if (what == "write" && path.find(".tmp") == std::string::npos) count_at_write = body.use_count();
    return {};
  };
  REQUIRE(world.journal->wait_durable(*lsn));
  CHECK(count_at_write == 2);
  CHECK(body.use_count() == 1);
}

TEST_CASE("close makes everything staged durable, and refuses what comes later") {
  JournalWorld world;
  world.open();
  const std::uint64_t lsn = world.stage("last");
  world.stage("nobody waits for this");
  REQUIRE(world.journal->close());
  CHECK(world.journal->is_durable(2));
  const auto refused = world.journal->stage(frame_of("late"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::closed);
  CHECK(world.journal->check().error().code() == Errc::closed);
  CHECK(world.journal->wait_durable(lsn));
  CHECK(world.journal->close());
  world.open();
  CHECK(world.replayed.size() == 2);
}

TEST_CASE("a frame that fits into no file is refused and takes no LSN") {
  JournalWorld world;
  world.open();
  const auto refused = world.journal->stage(frame_of(std::string(journal::journal_file_bytes_min, 'x')));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::record_too_large);
  CHECK(world.commit("x") == 1);
}

TEST_CASE("options outside their range are refused") {
  JournalWorld world;
  for (const std::uint32_t bytes : {0U, 65535U, 65536U + 8, (1U << 30) + 4096}) {
    auto options = world.options();
    options.file_bytes = bytes;
    const auto opened = Journal::open(std::move(options), {});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code() == Errc::invalid_argument);
  }
}

TEST_CASE("committing allocates nothing once it is warm") {
  JournalWorld world;
  world.open();
  const auto body = std::make_shared<const std::string>(167, 'x');
  const auto commit_some = [&] {
    std::uint64_t last = 0;
    for (int i = 0; i < 20; ++i) {
      const auto lsn = world.journal->stage(
          journal::StagedFrame::batch({test_id(9), 0, i, 0, 0}, base::as_bytes(*body), body));
      REQUIRE(lsn);
      last = *lsn;
    }
    return world.journal->wait_durable(last).ok();
  };
  REQUIRE(commit_some());
  REQUIRE(commit_some());
  // The file system in memory copies a file at each sync: one allocation at most, and only if it grew.
  const std::uint64_t before = allocations();
  const bool committed = commit_some();
  const std::uint64_t after = allocations();
  CHECK(committed);
  CHECK(after == before);
}

}  // namespace
}  // namespace seriatim::test
