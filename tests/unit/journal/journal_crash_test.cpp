// Power cuts: what was not synced is lost in part, torn, and in any order.
#include <algorithm>
#include <atomic>
#include <thread>

#include "unit/journal/journal_fixture.hpp"

namespace seriatim::test {
namespace {

// The frames that may and that must be there after a crash.
struct Expectation {
  std::map<std::uint64_t, std::string> staged{};
  std::uint64_t acknowledged = 0;

  void check(const JournalWorld& world) const {
    for (std::uint64_t lsn = world.covered_lsn + 1; lsn <= acknowledged; ++lsn) {
      REQUIRE(world.replayed.contains(lsn));
    }
    std::uint64_t expected = world.covered_lsn + 1;
    for (const auto& [lsn, body] : world.replayed) {
      REQUIRE(lsn == expected++);
      REQUIRE(staged.contains(lsn));
      REQUIRE(body == staged.at(lsn));
    }
    REQUIRE(world.contents.next_lsn == std::max(expected, world.covered_lsn + 1));
  }
  // The frames that came back go on; the others never were.
  void forget_lost(std::uint64_t next_lsn) {
    staged.erase(staged.lower_bound(next_lsn), staged.end());
    acknowledged = next_lsn - 1;
  }
};

// Random use until the power goes.
void run(JournalWorld& world, Random& random, Expectation& expectation) {
  for (int i = 0; i < 40; ++i) {
    const std::string body =
        random.text(static_cast<std::size_t>(random.between(1, random.one_in(4) ? 20'000 : 300)));
    const auto lsn = world.journal->stage(frame_of(body));
    if (!lsn) return;
    expectation.staged[*lsn] = body;
    if (random.one_in(5)) {
      if (!world.journal->write_through(*lsn)) return;
    } else if (random.one_in(2)) {
      if (!world.journal->wait_durable(*lsn)) return;
      expectation.acknowledged = *lsn;
    }
    if (random.one_in(10) && !world.journal->prepare_next()) return;
    if (random.one_in(12) && expectation.acknowledged > world.covered_lsn) {
      // A checkpoint is durable before the journal hears of it.
      world.covered_lsn = static_cast<std::uint64_t>(random.between(
          static_cast<std::int64_t>(world.covered_lsn), static_cast<std::int64_t>(expectation.acknowledged)));
      if (!world.journal->recycle_below(world.covered_lsn + 1)) return;
    }
  }
}

TEST_CASE(
    "after any power cut everything acknowledged is there, in order, whole, and nothing that never was") {
  Random random("journal: power cuts");
  for (int world_number = 0; world_number < 60; ++world_number) {
    JournalWorld world;
    Expectation expectation;
    for (int life = 0; life < 6; ++life) {
      world.open();
      expectation.check(world);
      expectation.forget_lost(world.contents.next_lsn);
      std::int64_t changes_left = random.between(1, 150);
      world.vfs.before_change = [&](std::string_view, const std::string& path) -> Result<void> {
        if (changes_left-- > 0) return {};
        world.vfs.cut_power();
        return Error(Errc::io_error, path + ": the power is off");
      };
      run(world, random, expectation);
      world.vfs.before_change = nullptr;
      world.vfs.cut_power();
      world.journal.reset();
      world.vfs.restart(random);
    }
  }
}

TEST_CASE("a crash during a replay, or right after it, changes nothing that a replay would not find again") {
  Random random("journal: crash in replay");
  for (int i = 0; i < 30; ++i) {
    JournalWorld world;
    Expectation expectation;
    world.open();
    run(world, random, expectation);
    world.vfs.cut_power();
    world.journal.reset();
    world.vfs.restart(random);
    world.open();
    expectation.check(world);
    const auto replayed = world.replayed;
    const std::uint64_t next_lsn = world.contents.next_lsn;
    // Frames that came back although nobody had been told so are facts from here on.
    for (int life = 0; life < 4; ++life) {
      world.vfs.cut_power();
      world.journal.reset();
      world.vfs.restart(random);
      world.open();
      REQUIRE(world.replayed == replayed);
      REQUIRE(world.contents.next_lsn == next_lsn);
    }
  }
}

TEST_CASE("a frame that only the page cache has when a killed process is followed by another is kept by it") {
  Random random("journal: kill, then power cut");
  for (int i = 0; i < 30; ++i) {
    JournalWorld world;
    world.open();
    world.commit("synced");
    REQUIRE(world.journal->write_through(world.stage("written")));
    // The process is killed: nothing of its memory is written any more, the page cache stays.
    auto killed = std::move(world.journal);
    world.open();
    REQUIRE(world.replayed.size() == 2);
    world.commit("of the next process");
    world.vfs.cut_power();
    killed.reset();
    world.journal.reset();
    world.vfs.restart(random);
    world.open();
    CHECK(world.replayed.size() == 3);
  }
}

TEST_CASE("a recycled file never brings back frames of an earlier life") {
  Random random("journal: earlier lives");
  for (int i = 0; i < 20; ++i) {
    JournalWorld world;
    Expectation expectation;
    world.open();
    // The same lengths in every life, so that old frames lie exactly where new ones would.
    for (int life = 0; life < 8; ++life) {
      for (int frame = 0; frame < 5; ++frame) {
        const std::string body = random.text(13'000);
        expectation.acknowledged = world.commit(body);
        expectation.staged[expectation.acknowledged] = body;
      }
      world.covered_lsn = expectation.acknowledged - 2;
      REQUIRE(world.journal->recycle_below(world.covered_lsn + 1));
      const bool killed = random.one_in(2);
      const std::string body = random.text(13'000);
      expectation.staged[world.stage(body)] = body;
      if (killed) REQUIRE(world.journal->write_through(expectation.staged.rbegin()->first));
      world.vfs.cut_power();
      world.journal.reset();
      world.vfs.restart(random);
      world.open();
      expectation.check(world);
      expectation.forget_lost(world.contents.next_lsn);
    }
  }
}

TEST_CASE("a file begun again after its first write was torn does not bring back the frames behind it") {
  JournalWorld world;
  world.open();
  for (const char* body : {"one", "two", "six"}) world.stage(body);
  REQUIRE(world.journal->wait_durable(3));
  world.journal.reset();
  // As if the sectors of the header had not arrived, and those of the frames had.
  auto& bytes = world.vfs.bytes(world.path(1));
  std::fill_n(bytes.begin(), format::journal_frames_at, std::byte{0});
  world.open();
  REQUIRE(world.replayed.empty());
  world.commit("ten");
  world.open();
  CHECK(world.contents.files.front().number == 1);
  CHECK(world.replayed == std::map<std::uint64_t, std::string>{{1, "ten"}});
}

TEST_CASE(
    "producers on many threads: after a power cut in the middle each finds what it was told is durable") {
  Random random("journal: threads and a power cut");
  for (int i = 0; i < 10; ++i) {
    JournalWorld world;
    world.open();
    std::atomic<std::int64_t> changes_left = random.between(1, 200);
    world.vfs.before_change = [&](std::string_view, const std::string& path) -> Result<void> {
      if (changes_left-- > 0) return {};
      world.vfs.cut_power();
      return Error(Errc::io_error, path + ": the power is off");
    };
    std::atomic<std::uint64_t> acknowledged{0};
    std::vector<std::thread> producers;
    for (int t = 0; t < 4; ++t) {
      producers.emplace_back([&] {
        for (int n = 0; n < 200; ++n) {
          const auto lsn = world.journal->stage(frame_of("some bytes"));
          if (!lsn || !world.journal->wait_durable(*lsn)) return;
          std::uint64_t seen = acknowledged.load();
          while (seen < *lsn && !acknowledged.compare_exchange_weak(seen, *lsn)) {
          }
        }
      });
    }
    for (auto& producer : producers) producer.join();
    world.vfs.before_change = nullptr;
    world.vfs.cut_power();
    world.journal.reset();
    world.vfs.restart(random);
    world.open();
    CHECK(world.contents.next_lsn > acknowledged);
    CHECK(world.replayed.size() + 1 == world.contents.next_lsn);
  }
}

}  // namespace
}  // namespace seriatim::test
