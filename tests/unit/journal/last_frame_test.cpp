#include "journal/last_frame.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "unit/journal/journal_fixture.hpp"

namespace seriatim::test {
namespace {

// A file of frames 1 to 3.
struct ThreeFrames : JournalWorld {
  ThreeFrames() {
    open();
    for (const char* text : {"one", "two", "three"}) commit(text);
    REQUIRE(journal->close());
    bytes = vfs.bytes(path(1));
    header = format::load_journal_header(bytes, 1)->value();
  }
  std::uint64_t last() const { return journal::last_frame_in(bytes, header); }
  void zero_from(std::size_t position) {
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(position), bytes.end(), std::byte{0});
  }

  std::vector<std::byte> bytes{};
  format::JournalHeader header{};
};

TEST_CASE("the last frame of a file is the one before the first that is not there") {
  ThreeFrames file;
  CHECK(file.last() == 3);
  const auto first = format::journal_frame_bytes(format::journal_place_bytes + 3);
  file.bytes[format::journal_frames_at + first] ^= std::byte{1};
  CHECK(file.last() == 1);
  file.zero_from(format::journal_frames_at + first);
  CHECK(file.last() == 1);
  file.bytes[format::journal_frames_at + 1] ^= std::byte{1};
  CHECK(file.last() == 0);
  file.zero_from(format::journal_frames_at);
  CHECK(file.last() == 0);
}

TEST_CASE("a file that is full to its last byte, or of the least length, is not read beyond its end") {
  ThreeFrames file;
  file.bytes.resize(format::journal_frames_at +
                    2 * format::journal_frame_bytes(format::journal_place_bytes + 3));
  CHECK(file.last() == 2);
  file.bytes.resize(format::journal_frames_at);
  CHECK(file.last() == 0);
}

TEST_CASE("frames of another run in the same file do not count") {
  ThreeFrames file;
  ++file.header.incarnation;
  CHECK(file.last() == 0);
}

}  // namespace
}  // namespace seriatim::test
