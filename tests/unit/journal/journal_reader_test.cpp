#include "journal/journal_reader.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "support/temp_dir.hpp"
#include "unit/journal/journal_fixture.hpp"

namespace seriatim::test {
namespace {

using Frames = std::map<std::uint64_t, std::string>;

// A file of three groups: frames 1 and 2, frame 3, frames 4 and 5.
struct ThreeGroups : JournalWorld {
  ThreeGroups() {
    open();
    stage("one");
    commit("two");
    commit("three is longer");
    stage("four");
    commit("five");
    REQUIRE(journal->close());
    bytes = vfs.bytes(path(1));
    used = journal->stats().bytes_in_use;
  }
  std::vector<std::byte> bytes{};
  std::size_t used = 0;
  const Frames all{{1, "one"}, {2, "two"}, {3, "three is longer"}, {4, "four"}, {5, "five"}};
};

Frames first(const Frames& frames, std::size_t count) {
  return {frames.begin(), std::next(frames.begin(), static_cast<std::ptrdiff_t>(count))};
}

TEST_CASE("frames of every type come back in order, those beyond the covered one only") {
  JournalWorld world;
  world.open();
  world.commit("one");
  const auto range =
      world.journal->stage(journal::StagedFrame::synced_range({{test_id(9), 0, 1, 0, 100}, 300'000}));
  REQUIRE(range);
  const auto payload = format::encode_journal_offsets({"group", 1, {{test_id(9), 0, 5, -1, "m"}}});
  const auto offsets = world.journal->stage(
      journal::StagedFrame::encoded(format::JournalFrameType::committed_offsets, payload));
  REQUIRE(offsets);
  REQUIRE(world.journal->wait_durable(*offsets));
  world.open();
  CHECK(world.replayed == Frames{{1, "one"}, {2, "range 300000"}, {3, "offsets of group"}});
  CHECK(world.contents.next_lsn == 4);
  CHECK(world.contents.frames_visited == 3);
  world.covered_lsn = 2;
  world.open();
  CHECK(world.replayed == Frames{{3, "offsets of group"}});
  world.covered_lsn = 10;  // the journal was lost, the catalog knows more
  world.open();
  CHECK(world.replayed.empty());
  CHECK(world.contents.next_lsn == 11);
}

TEST_CASE("the end of a group comes back in its place") {
  JournalWorld world;
  world.open();
  world.commit("one");
  const auto ended = world.journal->stage(
      journal::StagedFrame::encoded(format::JournalFrameType::forgotten_group, base::as_bytes("group")));
  REQUIRE(ended);
  REQUIRE(world.journal->wait_durable(*ended));
  world.commit("three");
  world.open();
  CHECK(world.replayed == Frames{{1, "one"}, {2, "end of group"}, {3, "three"}});
}

TEST_CASE("the last frame that a file holds, and whose it is, are told, covered or not") {
  JournalWorld world;
  world.open();
  CHECK(world.contents.stored_lsn == 0);
  CHECK(world.contents.newest_incarnation == 0);
  world.commit("one");
  world.commit("two");
  const std::uint64_t first_run = world.incarnation;
  world.covered_lsn = 2;
  world.open();
  CHECK(world.contents.stored_lsn == 2);
  CHECK(world.contents.newest_incarnation == first_run);
  world.open();  // a run that wrote nothing
  CHECK(world.contents.newest_incarnation == first_run);
  const std::uint64_t third_run = world.incarnation;
  world.commit("three");
  world.open();
  CHECK(world.contents.stored_lsn == 3);
  CHECK(world.contents.newest_incarnation == third_run);
}

// A power cut leaves the header of a run's file and none of its frames; the next run's file begins behind
// frames that a checkpoint has covered before they were written.
TEST_CASE("a file without a frame tells of no run, also where the next file begins further on") {
  JournalWorld world;
  world.open();
  world.commit("one");
  const std::uint64_t first_run = world.incarnation;
  world.open();
  world.commit("lost");
  auto& lost = world.vfs.bytes(world.path(2));
  std::fill(lost.begin() + format::journal_frames_at, lost.end(), std::byte{0});
  world.covered_lsn = 4;
  world.open();
  world.commit("lost, too");
  auto& next = world.vfs.bytes(world.path(3));
  std::fill(next.begin() + format::journal_frames_at, next.end(), std::byte{0});
  world.open();
  CHECK(world.contents.files.size() == 3);
  CHECK(world.contents.stored_lsn == 1);
  CHECK(world.contents.newest_incarnation == first_run);
}

TEST_CASE("of a covered file the frames count that it holds, and none behind one that is lost") {
  for (const bool is_first_lost : {false, true}) {
    JournalWorld world;
    world.open();
    world.commit("one");
    const std::uint64_t first_run = world.incarnation;
    world.open();
    world.commit("two");
    const std::uint64_t second_run = world.incarnation;
    world.commit("three");
    if (is_first_lost) world.vfs.bytes(world.path(2))[format::journal_frames_at] ^= std::byte{1};
    world.covered_lsn = 5;
    world.open();
    world.commit("lost");
    auto& lost = world.vfs.bytes(world.path(3));
    std::fill(lost.begin() + format::journal_frames_at, lost.end(), std::byte{0});
    world.open();
    CHECK(world.contents.stored_lsn == (is_first_lost ? 1 : 3));
    CHECK(world.contents.newest_incarnation == (is_first_lost ? first_run : second_run));
  }
}

TEST_CASE("no directory and an empty one are an empty journal") {
  JournalWorld world;
  Collector collector;
  auto contents = world.read(collector);
  REQUIRE(contents);
  CHECK(contents->next_lsn == 1);
  CHECK_FALSE(contents->directory_exists);
  REQUIRE(world.vfs.create_directory(world.directory));
  contents = world.read(collector);
  REQUIRE(contents);
  CHECK(contents->directory_exists);
  CHECK(collector.frames.empty());
}

TEST_CASE("torn at every byte, the whole frames before it come back and nothing else") {
  ThreeGroups world;
  for (std::size_t cut = 0; cut < world.used; ++cut) {
    auto& bytes = world.vfs.bytes(world.path(1));
    bytes = world.bytes;
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(cut), bytes.end(), std::byte{0});
    Collector collector;
    const auto contents = world.read(collector);
    REQUIRE(contents);
    const std::size_t count = collector.frames.size();
    REQUIRE(collector.frames == first(world.all, count));
    REQUIRE(contents->next_lsn == count + 1);
    if (count > 0) REQUIRE(contents->files.back().used_bytes <= base::align_up(cut, 8));
  }
}

TEST_CASE(
    "any bit flipped is seen: the last group is taken for torn, damage before it is reported with its "
    "place") {
  ThreeGroups world;
  Collector whole;
  REQUIRE(world.read(whole));
  REQUIRE(whole.frames == world.all);
  std::size_t reported = 0;
  for (std::size_t bit = 0; bit < world.used * 8; ++bit) {
    auto& bytes = world.vfs.bytes(world.path(1));
    bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    Collector collector;
    const auto contents = world.read(collector);
    bytes[bit / 8] = world.bytes[bit / 8];
    if (!contents) {
      ++reported;
      REQUIRE(contents.error().code() == Errc::corrupt_metadata);
      REQUIRE(contents.error().message().find(world.path(1)) != std::string::npos);
      REQUIRE(contents.error().message().find("journal frame") != std::string::npos);
      REQUIRE(collector.frames.empty());
      continue;
    }
    // Frames 1 to 3 were synced before the last group was written: they are whole or damage is reported.
    REQUIRE(collector.frames.size() >= 3);
    REQUIRE(collector.frames == first(world.all, collector.frames.size()));
  }
  CHECK(reported > 0);
}

TEST_CASE("a frame missing before a later file is damage, with file, position and LSN") {
  JournalWorld world;
  world.open();
  while (world.journal->stats().files < 3) world.commit(std::string(5000, 'x'));
  REQUIRE(world.journal->close());
  Collector collector;
  const auto contents = world.read(collector);
  REQUIRE(contents);
  REQUIRE(contents->files.size() == 3);
  const auto first_file = contents->files.front();

  SUBCASE("its last frame is zeros") {
    auto& bytes = world.vfs.bytes(world.path(1));
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(first_file.used_bytes) - 5000, bytes.end(),
              std::byte{0});
    Collector none;
    const auto damaged = world.read(none);
    REQUIRE_FALSE(damaged);
    CHECK(damaged.error().code() == Errc::corrupt_metadata);
    CHECK(damaged.error().message().find("journal frame " + std::to_string(first_file.last_lsn) + " ") !=
          std::string::npos);
    CHECK(damaged.error().message().find(world.path(1)) != std::string::npos);
    CHECK(damaged.error().message().find("position ") != std::string::npos);
    CHECK(none.frames.empty());
    // A checkpoint that covers the file does not need it.
    world.covered_lsn = first_file.last_lsn;
    CHECK(world.read(none));
  }
  SUBCASE("a file is missing") {
    for (const std::uint64_t number : {std::uint64_t{1}, std::uint64_t{2}}) {
      auto bytes = world.vfs.bytes(world.path(number));
      REQUIRE(world.vfs.remove(world.path(number)));
      Collector none;
      const auto damaged = world.read(none);
      REQUIRE_FALSE(damaged);
      CHECK(damaged.error().code() == Errc::corrupt_metadata);
      CHECK(none.frames.empty());
      REQUIRE(world.vfs.open(world.path(number), os::OpenMode::create_new));
      world.vfs.bytes(world.path(number)) = bytes;
    }
  }
  SUBCASE("a file comes twice") {
    auto bytes = world.vfs.bytes(world.path(3));
    base::store_le(bytes.data() + 48, first_file.first_lsn);
    base::store_le(bytes.data() + 56, base::xxh3_64(base::ByteSpan(bytes).first(56)));
    world.vfs.bytes(world.path(3)) = bytes;
    Collector none;
    const auto damaged = world.read(none);
    REQUIRE_FALSE(damaged);
    CHECK(damaged.error().code() == Errc::corrupt_metadata);
  }
}

TEST_CASE("damage among frames that a checkpoint covers is no loss; beyond it, it is") {
  ThreeGroups world;
  auto& bytes = world.vfs.bytes(world.path(1));
  bytes[format::journal_frames_at + 30] ^= std::byte{1};  // frame 1
  Collector collector;
  world.covered_lsn = 5;
  CHECK(world.read(collector));
  world.covered_lsn = 1;  // 2 and 3 were stored and cannot be reached any more
  CHECK(world.read(collector).error().code() == Errc::corrupt_metadata);
  CHECK(collector.frames.empty());
}

TEST_CASE("files that cannot be the journal's are refused with what is wrong") {
  ThreeGroups world;
  Collector collector;
  const auto refused = [&](Errc code, std::string_view word) {
    const auto contents = world.read(collector);
    REQUIRE_FALSE(contents);
    CHECK(contents.error().code() == code);
    CHECK_MESSAGE(contents.error().message().find(word) != std::string::npos, contents.error().message());
    CHECK(collector.frames.empty());
  };
  auto& bytes = world.vfs.bytes(world.path(1));
  const auto set_header = [&](std::size_t at, std::uint64_t value) {
    for (const std::size_t copy : {std::size_t{0}, format::journal_header_copy_at}) {
      base::store_le(bytes.data() + copy + at, value);
      base::store_le(bytes.data() + copy + 56, base::xxh3_64(base::ByteSpan(bytes).subspan(copy, 56)));
    }
  };
  SUBCASE("empty") {
    bytes.clear();
    refused(Errc::corrupt_metadata, "0 bytes");
  }
  SUBCASE("cut") {
    bytes.resize(bytes.size() - 1);
    refused(Errc::corrupt_metadata, "65535 bytes");
  }
  SUBCASE("extended") {
    bytes.resize(bytes.size() + 4096);
    refused(Errc::corrupt_metadata, "69632 bytes");
  }
  SUBCASE("of another directory") {
    set_header(16, 77);
    refused(Errc::corrupt_metadata, "another data directory");
  }
  SUBCASE("of a newer version") {
    set_header(8, base::load_le<std::uint64_t>(bytes.data() + 8) + 1);
    refused(Errc::unsupported_version, "upgrade");
  }
  SUBCASE("with an impossible frame number") {
    set_header(48, ~std::uint64_t{0});
    refused(Errc::corrupt_metadata, "impossible frame number");
  }
  SUBCASE("with a frame of a newer version") {
    const auto header = format::load_journal_header(bytes, 1);
    REQUIRE(header);
    base::Xxh3Stream hash;
    const std::size_t size = format::journal_frame_header_bytes + format::journal_place_bytes + 3;
    const auto fields = format::JournalFrameFields{static_cast<format::JournalFrameType>(9), 0, 1};
    const auto frame = base::MutableByteSpan(bytes).subspan(format::journal_frames_at, size);
    format::seal_journal_frame(frame, {}, fields, format::journal_key(**header), hash);
    refused(Errc::unsupported_version, "type 9");
  }
}

TEST_CASE("a file of the largest number that is not begun, and strange names, disturb nothing") {
  ThreeGroups world;
  for (const char* name :
       {"00000000000000000000.journal", "99999999999999999999.journal", "1.journal", "notes.txt"}) {
    REQUIRE(world.vfs.open(os::join_path(world.directory, name), os::OpenMode::create_new));
  }
  Collector collector;
  const auto contents = world.read(collector);
  REQUIRE(contents);
  CHECK(collector.frames == world.all);
  CHECK(contents->next_file_number == 2);
}

TEST_CASE(
    "a symbolic link, a FIFO, a directory and a file too large in place of a journal file are refused at "
    "once") {
  const TempDir dir;
  const std::string path = dir / journal::journal_file_name(1);
  SUBCASE("link") { REQUIRE(::symlink("/dev/zero", path.c_str()) == 0); }
  SUBCASE("FIFO") { REQUIRE(::mkfifo(path.c_str(), 0600) == 0); }
  SUBCASE("directory") { REQUIRE(::mkdir(path.c_str(), 0700) == 0); }
  SUBCASE("too large") {
    std::ofstream(path).put('x');
    REQUIRE(::truncate(path.c_str(), (off_t{1} << 30) + 1) == 0);
  }
  Collector collector;
  const auto contents = journal::read_journal({.directory = dir.path(),
                                               .directory_id = test_id(1),
                                               .covered_lsn = 0,
                                               .is_writer = true,
                                               .vfs = os::posix_vfs()},
                                              collector);
  REQUIRE_FALSE(contents);
  CHECK(contents.error().code() == Errc::corrupt_metadata);
}

TEST_CASE("a visitor's refusal ends the reading") {
  ThreeGroups world;
  Collector collector;
  collector.refuse_lsn = 3;
  const auto contents = world.read(collector);
  REQUIRE_FALSE(contents);
  CHECK(contents.error().code() == Errc::invalid_state);
  CHECK(collector.frames == first(world.all, 2));
}

TEST_CASE("a writer brings to the disk what it reads before it reads it; another reader changes nothing") {
  ThreeGroups world;
  int syncs = 0;
  world.vfs.before_change = [&](std::string_view what, const std::string&) -> Result<void> {
    if (what != "sync") return Error(Errc::io_error, "changed something");
    ++syncs;
    return {};
  };
  Collector reader;
  CHECK(world.read(reader, false));
  CHECK(syncs == 0);
  Collector writer;
  CHECK(world.read(writer, true));
  CHECK(syncs == 1);
  world.vfs.before_change = [&](std::string_view, const std::string& path) -> Result<void> {
    return Error(Errc::storage_failed, path + ": made to fail");
  };
  Collector none;
  CHECK(world.read(none, true).error().code() == Errc::storage_failed);
  CHECK(none.frames.empty());
}

}  // namespace
}  // namespace seriatim::test
