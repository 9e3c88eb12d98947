// Reading a damaged journal for repair: everything that can be read, and the numbers of what cannot.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "unit/journal/journal_fixture.hpp"

namespace seriatim::test {
namespace {

// A file of five frames, each synced before the next was written.
struct FiveFrames : JournalWorld {
  FiveFrames() {
    open();
    for (const char* const text : {"one", "two", "three", "four", "five"}) commit(text);
    REQUIRE(journal->close());
    salvages = true;
  }
  void flip(std::uint64_t file, std::uint64_t position) { vfs.bytes(path(file))[position] ^= std::byte{1}; }
  // Of the frame that begins `index` frames behind the first; each has 72 bytes of head and a short body.
  static std::uint64_t position_of(std::uint64_t index) { return format::journal_frames_at + index * 80; }
};

std::set<std::uint64_t> lost_lsns(const journal::JournalContents& contents) {
  std::set<std::uint64_t> lost;
  for (const auto& loss : contents.losses) {
    for (std::uint64_t lsn = loss.first_lsn; lsn <= loss.last_lsn; ++lsn) REQUIRE(lost.insert(lsn).second);
  }
  return lost;
}

TEST_CASE("with any bit flipped every frame is visited, told as lost, or in the end that nothing proves") {
  FiveFrames world;
  const auto whole = world.vfs.bytes(world.path(1));
  const std::uint64_t used = FiveFrames::position_of(5);
  std::size_t with_losses = 0;
  for (std::uint64_t bit = 0; bit < used * 8; ++bit) {
    CAPTURE(bit);
    world.vfs.bytes(world.path(1))[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    Collector collector;
    const auto contents = world.read(collector);
    world.vfs.bytes(world.path(1))[bit / 8] = whole[bit / 8];
    REQUIRE(contents);
    const auto lost = lost_lsns(*contents);
    for (std::uint64_t lsn = 1; lsn <= 4; ++lsn)
      REQUIRE(collector.frames.contains(lsn) != lost.contains(lsn));
    REQUIRE(contents->damaged.empty() == lost.empty());
    REQUIRE(contents->files.empty() != lost.empty());
    with_losses += lost.empty() ? 0 : 1;
  }
  CHECK(with_losses > 1000);
}

TEST_CASE("frames that are covered are no loss, and what is behind them is visited") {
  FiveFrames world;
  world.flip(1, FiveFrames::position_of(1) + 30);
  world.covered_lsn = 2;
  Collector collector;
  const auto contents = world.read(collector);
  REQUIRE(contents);
  CHECK(contents->losses.empty());
  CHECK(collector.frames.size() == 3);
  CHECK(contents->next_lsn == 6);
}

TEST_CASE(
    "a missing file and a cut one are losses told by their numbers; a writer goes on behind all of them") {
  JournalWorld world;
  world.open();
  while (world.journal->stats().files < 4) world.commit(std::string(5000, 'x'));
  REQUIRE(world.journal->close());
  Collector whole;
  const auto before = world.read(whole);
  REQUIRE(before);
  const auto& files = before->files;
  REQUIRE(files.size() == 4);
  REQUIRE(world.vfs.remove(world.path(2)));
  world.vfs.bytes(world.path(3)).resize(files[2].used_bytes - 5000);
  world.salvages = true;
  Collector collector;
  const auto contents = world.read(collector);
  REQUIRE(contents);
  std::set<std::uint64_t> expected{files[2].last_lsn};
  for (std::uint64_t lsn = files[1].first_lsn; lsn <= files[1].last_lsn; ++lsn) expected.insert(lsn);
  CHECK(lost_lsns(*contents) == expected);
  CHECK(collector.frames.size() + expected.size() == whole.frames.size());
  const std::set<std::string> damaged(contents->damaged.begin(), contents->damaged.end());
  CHECK(damaged == std::set{journal::journal_file_name(1), journal::journal_file_name(3)});
  CHECK(contents->next_lsn == before->next_lsn);
  CHECK(contents->next_file_number == before->next_file_number);
}

TEST_CASE("a file of another directory is set aside unread") {
  FiveFrames world;
  auto bytes = world.vfs.bytes(world.path(1));
  const auto header = format::make_journal_header(
      {.directory_id = test_id(2), .file_number = 2, .incarnation = 1, .first_lsn = 6, .file_bytes = 65536});
  std::copy(header.begin(), header.end(), bytes.begin());
  REQUIRE(world.vfs.open(world.path(2), os::OpenMode::create_new));
  world.vfs.bytes(world.path(2)) = bytes;
  Collector collector;
  const auto contents = world.read(collector);
  REQUIRE(contents);
  CHECK(collector.frames.size() == 5);
  CHECK(contents->damaged == std::vector<std::string>{journal::journal_file_name(2)});
}

}  // namespace
}  // namespace seriatim::test
