#include "os/file/allocate.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file/posix_vfs.hpp"
#include "support/random.hpp"
#include "support/temp_dir.hpp"

using namespace seriatim;
using namespace seriatim::os;
using test::TempDir;

namespace {

std::vector<std::byte> bytes_of(File& file) {
  std::vector<std::byte> bytes(*file.size());
  REQUIRE(*file.read_at(bytes, 0) == bytes.size());
  return bytes;
}

}  // namespace

TEST_CASE("holes are filled, data is kept, and the file reaches the end of the range") {
  const TempDir dir;
  test::Random random("fill_holes");
  for (int round = 0; round < 20; ++round) {
    const auto file = posix_vfs().open(dir / std::to_string(round), OpenMode::create_new);
    REQUIRE(file);
    REQUIRE((*file)->truncate(static_cast<std::uint64_t>(random.between(0, 400'000))));
    for (int i = 0; i < 4; ++i) {
      REQUIRE((*file)->write_at(random.bytes(5000), static_cast<std::uint64_t>(random.between(0, 400'000))));
    }
    std::vector<std::byte> expected = bytes_of(**file);
    const auto position = static_cast<std::uint64_t>(random.between(0, 500'000));
    const auto length = static_cast<std::uint64_t>(random.between(1, 300'000));
    REQUIRE(fill_holes((*file)->descriptor(), position, length, "f"));
    if (expected.size() < position + length) expected.resize(position + length);
    REQUIRE(bytes_of(**file) == expected);
    // No hole is left inside the range.
    const off_t hole = ::lseek((*file)->descriptor(), static_cast<off_t>(position), SEEK_HOLE);
    CHECK(hole >= static_cast<off_t>(position + length));
  }
}

TEST_CASE("an error names the file and the position") {
  const TempDir dir;
  REQUIRE(posix_vfs().open(dir / "f", OpenMode::create_new));
  const auto file = posix_vfs().open(dir / "f", OpenMode::read);
  REQUIRE(file);
  const auto filled = fill_holes((*file)->descriptor(), 0, 10, "the-file");
  REQUIRE_FALSE(filled);
  CHECK(filled.error().message().find("position 0 of the-file") != std::string::npos);
  CHECK_FALSE(fill_holes(-1, 0, 10, "the-file"));
}
