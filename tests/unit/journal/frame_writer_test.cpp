#include "journal/frame_writer.hpp"

#include "support/random.hpp"
#include "unit/journal/journal_fixture.hpp"

namespace seriatim::test {
namespace {

using journal::FrameQueue;
using journal::FrameWriter;

struct WriterFixture {
  WriterFixture() { count_calls(); }
  void count_calls() {
    world.vfs.before_change = [this](std::string_view what, const std::string& path) -> Result<void> {
      if (path.find(".tmp") != std::string::npos) return {};
      writes += what == "write";
      syncs += what == "sync";
      return {};
    };
  }
  // Writes all, in as many groups as it takes.
  int write(FrameQueue frames) {
    int groups = 0;
    for (std::size_t done = 0; done < frames.size(); ++groups) {
      const auto written = writer.write(frames, done, {next_lsn, false});
      if (!written) FAIL(written.error().message());
      next_lsn += *written;
      done += *written;
    }
    return groups;
  }
  std::map<std::uint64_t, std::string> read() {
    Collector collector;
    auto found = world.read(collector, false);
    if (!found) FAIL(found.error().message());
    contents = *std::move(found);
    return collector.frames;
  }
  static FrameQueue frames(int count, std::size_t bytes) {
    FrameQueue frames;
    for (int i = 0; i < count; ++i)
      frames.push(frame_of(std::string(bytes, static_cast<char>('a' + i % 26))));
    return frames;
  }

  JournalWorld world{};
  int writes = 0;
  int syncs = 0;
  std::uint64_t next_lsn = 1;
  journal::JournalOptions options = world.options();
  journal::JournalFiles files{options, {}};
  FrameWriter writer{options, files};
  journal::JournalContents contents{};
};

TEST_CASE("a group is one write, the first of a file carries the header, and a sync is one call or none") {
  WriterFixture f;
  CHECK(f.write(WriterFixture::frames(3, 100)) == 1);
  CHECK(f.writes == 1);
  REQUIRE(f.writer.sync());
  REQUIRE(f.writer.sync());
  CHECK(f.syncs == 1);
  CHECK(f.writer.syncs() == 1);
  CHECK(f.write(WriterFixture::frames(2, 7)) == 1);
  CHECK(f.writes == 2);
  CHECK(f.read().size() == 5);
}

TEST_CASE("copied and pinned frames of any length stand behind each other as they were staged") {
  Random random("frames of a group");
  for (int round = 0; round < 50; ++round) {
    WriterFixture f;
    FrameQueue frames;
    std::map<std::uint64_t, std::string> expected;
    for (std::uint64_t lsn = 1; lsn <= 12; ++lsn) {
      const std::string text(static_cast<std::size_t>(random.between(1, 60)),
                             static_cast<char>('a' + random.between(0, 25)));
      frames.push(frame_of(text));
      expected[lsn] = text;
    }
    CHECK(f.write(std::move(frames)) == 1);
    CHECK(f.read() == expected);
  }
}

TEST_CASE("a group never spans two files: one that does not fit begins the next") {
  WriterFixture f;
  CHECK(f.write(WriterFixture::frames(1, 40'000)) == 1);
  CHECK(f.write(WriterFixture::frames(10, 4'000)) == 1);
  CHECK(f.read().size() == 11);
  REQUIRE(f.contents.files.size() == 2);
  CHECK(f.contents.files[0].last_lsn == 1);
  CHECK(f.contents.files[1].first_lsn == 2);
  CHECK(f.contents.files[1].last_lsn == 11);
}

TEST_CASE("a frame as large as a file holds is written; the last byte of a file is used") {
  WriterFixture f;
  const std::size_t overhead = format::journal_frame_header_bytes + format::journal_place_bytes;
  const std::size_t largest = f.writer.frame_bytes_max() - overhead;
  CHECK(f.write(WriterFixture::frames(2, largest)) == 2);
  CHECK(f.read().size() == 2);
  CHECK(f.contents.files.size() == 2);
}

TEST_CASE("a group has at most group_bytes_max bytes, and at least one frame") {
  WriterFixture f;
  f.options.group_bytes_max = 1000;
  CHECK(f.write(WriterFixture::frames(10, 400)) == 5);
  CHECK(f.write(WriterFixture::frames(1, 5'000)) == 1);
  CHECK(f.read().size() == 11);
}

TEST_CASE("what was written and not synced is synced before the next file is begun") {
  WriterFixture f;
  f.write(WriterFixture::frames(1, 40'000));
  CHECK(f.syncs == 0);
  f.write(WriterFixture::frames(1, 40'000));
  CHECK(f.syncs == 1);
  REQUIRE(f.writer.sync());
  CHECK(f.syncs == 2);
}

TEST_CASE("after frames that were left out the next file is begun: within one LSNs have no gap") {
  WriterFixture f;
  f.write(WriterFixture::frames(2, 10));
  f.next_lsn = 6;
  f.write(WriterFixture::frames(1, 10));
  f.world.covered_lsn = 5;
  CHECK(f.read() == std::map<std::uint64_t, std::string>{{6, "aaaaaaaaaa"}});
  CHECK(f.contents.files.size() == 2);
}

TEST_CASE("a write refused for want of space may be repeated; any other failure is final") {
  for (const Errc code : {Errc::storage_full, Errc::io_error, Errc::read_only}) {
    WriterFixture f;
    auto frames = WriterFixture::frames(2, 10);
    f.world.vfs.before_change = [&](std::string_view what, const std::string& path) -> Result<void> {
      if (what != "write" || path.find(".tmp") != std::string::npos) return {};
      return Error(code, path + ": refused by the test");
    };
    const auto refused = f.writer.write(frames, 0, {1, true});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == (code == Errc::storage_full ? code : Errc::storage_failed));
    f.count_calls();
    if (code != Errc::storage_full) continue;
    CHECK(f.write(std::move(frames)) == 1);
    CHECK(f.read().size() == 2);
  }
}

TEST_CASE("a failed sync is storage_failed whatever the file system calls it") {
  WriterFixture f;
  f.write(WriterFixture::frames(1, 10));
  f.world.vfs.before_change = [&](std::string_view, const std::string& path) -> Result<void> {
    return Error(Errc::io_error, path + ": refused by the test");
  };
  CHECK(f.writer.sync().error().code() == Errc::storage_failed);
}

TEST_CASE("the present file is left when a checkpoint has all of it, and not before") {
  WriterFixture f;
  f.write(WriterFixture::frames(2, 10));
  f.writer.leave_below(2);
  REQUIRE(f.files.recycle_below(2));
  CHECK(f.files.counts().files == 1);
  f.writer.leave_below(3);
  REQUIRE(f.files.recycle_below(3));
  CHECK(f.files.counts().files == 0);
  f.world.covered_lsn = 2;
  f.write(WriterFixture::frames(1, 10));
  CHECK(f.read().size() == 1);
  CHECK(f.contents.files.front().number == 2);
}

}  // namespace
}  // namespace seriatim::test
