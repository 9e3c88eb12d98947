#include "os/file/posix_file.hpp"

#include <doctest/doctest.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <limits>

#include "os/file/posix_vfs.hpp"
#include "support/mounted.hpp"
#include "support/random.hpp"
#include "support/temp_dir.hpp"

using namespace seriatim;
using namespace seriatim::os;
using test::TempDir;

namespace {

std::unique_ptr<File> create(const std::string& path) {
  auto file = posix_vfs().open(path, OpenMode::create_new);
  REQUIRE(file);
  return std::move(*file);
}

std::string contents(File& file) {
  std::string text(*file.size(), '?');
  const auto read = file.read_at({reinterpret_cast<std::byte*>(text.data()), text.size()}, 0);
  REQUIRE(read);
  CHECK(*read == text.size());
  return text;
}

std::uint64_t allocated_bytes(const File& file) {
  struct stat status {};
  REQUIRE(::fstat(file.descriptor(), &status) == 0);
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

}  // namespace

TEST_CASE("what is written at a position is read there, and a read is short only at the end") {
  const TempDir dir;
  const auto file = create(dir / "f");
  REQUIRE(file->write_at(base::as_bytes("hello"), 3));
  CHECK(contents(*file) == std::string("\0\0\0hello", 8));
  std::byte buffer[10];
  CHECK(*file->read_at(buffer, 6) == 2);
  CHECK(*file->read_at(buffer, 8) == 0);
  CHECK(*file->read_at(buffer, 1000) == 0);
  CHECK(*file->read_at({}, 0) == 0);
  CHECK(file->write_at({}, 100).ok());
  CHECK(*file->size() == 8);
}

TEST_CASE("a position no file can have is an error that names it") {
  const TempDir dir;
  const auto file = create(dir / "f");
  std::byte byte{};
  const auto read = file->read_at({&byte, 1}, std::numeric_limits<std::uint64_t>::max());
  REQUIRE_FALSE(read);
  CHECK(read.error().message().find("18446744073709551615") != std::string::npos);
  CHECK_FALSE(file->write_at({&byte, 1}, std::numeric_limits<std::uint64_t>::max()));
  CHECK(file->allocate(std::numeric_limits<std::uint64_t>::max(), 2).error().code() ==
        Errc::invalid_argument);
  CHECK(file->allocate(0, 0).error().code() == Errc::invalid_argument);
}

TEST_CASE("gathered pieces are written as one, empty ones and more than one call takes included") {
  const TempDir dir;
  const auto file = create(dir / "f");
  test::Random random("write_gather_at");
  std::vector<std::vector<std::byte>> pieces;
  std::vector<base::ByteSpan> views;
  std::string expected(7, '\0');
  for (int i = 0; i < 3 * IOV_MAX; ++i) {
    pieces.push_back(random.bytes(static_cast<std::size_t>(random.between(0, 20))));
    expected.append(base::as_text(pieces.back()));
  }
  for (const auto& piece : pieces) views.emplace_back(piece);
  REQUIRE(file->write_gather_at(views, 7));
  CHECK(contents(*file) == expected);
  CHECK(file->write_gather_at({}, 0).ok());
  const base::ByteSpan empty[2] = {};
  CHECK(file->write_gather_at(empty, 0).ok());
  CHECK(*file->size() == expected.size());
}

TEST_CASE("a gathered write continues behind a short one") {
  const bool is_mounted = test::with_mounted("tmpfs", "size=64k", [](const std::string& root) {
    const auto file = create(root + "/f");
    // The second piece does not fit: the kernel writes a part of the whole and answers with its length.
    const std::vector<std::byte> first(40'000, std::byte{1});
    const std::vector<std::byte> second(40'000, std::byte{2});
    const base::ByteSpan pieces[] = {first, second};
    const auto written = file->write_gather_at(pieces, 0);
    CHECK_FALSE(written.ok());
    if (!written) CHECK(written.error().code() == Errc::storage_full);
    CHECK(*file->size() == 65536);
    std::byte last{};
    CHECK(*file->read_at({&last, 1}, 65535) == 1);
    CHECK(last == std::byte{2});
  });
  if (!is_mounted) MESSAGE("skipped: mounting a tmpfs needs root");
}

TEST_CASE("allocate reserves blocks, extends the file and keeps what is stored") {
  const TempDir dir;
  const auto file = create(dir / "f");
  REQUIRE(file->write_at(base::as_bytes("kept"), 0));
  REQUIRE(file->allocate(0, 1 << 20));
  CHECK(*file->size() == 1 << 20);
  CHECK(allocated_bytes(*file) >= 1 << 20);
  CHECK(contents(*file) == "kept" + std::string((1 << 20) - 4, '\0'));
}

TEST_CASE("on a full disk writing and allocating say storage_full, and work again when there is space") {
  const bool is_mounted = test::with_mounted("tmpfs", "size=64k", [](const std::string& root) {
    const auto file = create(root + "/f");
    const auto refused = file->allocate(0, 1 << 20);
    CHECK_FALSE(refused.ok());
    if (!refused) {
      CHECK(refused.error().code() == Errc::storage_full);
      CHECK(refused.error().retriable());
      CHECK(refused.error().message().find(root + "/f") != std::string::npos);
    }
    CHECK(file->truncate(0).ok());
    const auto ballast = create(root + "/ballast");
    CHECK(ballast->allocate(0, 65536).ok());
    const auto written = file->write_at(base::as_bytes("x"), 0);
    CHECK_FALSE(written.ok());
    if (!written) CHECK(written.error().code() == Errc::storage_full);
    CHECK(ballast->truncate(0).ok());
    CHECK(file->write_at(base::as_bytes("x"), 0).ok());
  });
  if (!is_mounted) MESSAGE("skipped: mounting a tmpfs needs root");
}

TEST_CASE("where there is no fallocate, allocate writes zeros and keeps what is stored") {
  const bool is_mounted = test::with_mounted("ramfs", "", [](const std::string& root) {
    const auto file = create(root + "/f");
    CHECK(::fallocate(file->descriptor(), 0, 0, 1) == -1);
    CHECK(errno == EOPNOTSUPP);
    CHECK(file->write_at(base::as_bytes("kept"), 0).ok());
    CHECK(file->allocate(0, 200'000).ok());
    CHECK(contents(*file) == "kept" + std::string(200'000 - 4, '\0'));
    CHECK(file->allocate(100, 10).ok());
    CHECK(*file->size() == 200'000);
  });
  if (!is_mounted) MESSAGE("skipped: mounting a ramfs needs root");
}

TEST_CASE("truncate cuts, and extends with zeros") {
  const TempDir dir;
  const auto file = create(dir / "f");
  REQUIRE(file->write_at(base::as_bytes("hello"), 0));
  REQUIRE(file->truncate(2));
  CHECK(contents(*file) == "he");
  REQUIRE(file->truncate(4));
  CHECK(contents(*file) == std::string("he\0\0", 4));
  CHECK(file->truncate(std::numeric_limits<std::uint64_t>::max()).error().code() == Errc::io_error);
}

TEST_CASE("syncing and dropping the cache change no byte") {
  const TempDir dir;
  const auto file = create(dir / "f");
  test::Random random("sync");
  const std::vector<std::byte> bytes = random.bytes(300'000);
  REQUIRE(file->write_at(bytes, 0));
  file->begin_write_back(0, 200'000);
  file->begin_write_back(1 << 20, 1 << 20);
  CHECK(file->sync_data().ok());
  CHECK(file->sync_all().ok());
  CHECK(file->drop_cache(0, 0).ok());
  CHECK(contents(*file) == base::as_text(bytes));
}

TEST_CASE("dropping the cache takes clean pages out of memory") {
  const TempDir dir;
  const auto file = create(dir / "f");
  REQUIRE(file->write_at(std::vector<std::byte>(1 << 20, std::byte{7}), 0));
  REQUIRE(file->sync_data());
  if (posix_vfs().file_system(dir.path())->type_name == "tmpfs") {
    MESSAGE("skipped: a tmpfs has no disk to read back from");
    return;
  }
  REQUIRE(file->drop_cache(0, 0));
  const auto mapping = file->map(1 << 20, Access::read);
  REQUIRE(mapping);
  unsigned char is_resident[256] = {};
  REQUIRE(::mincore(const_cast<std::byte*>(mapping->data()), 1 << 20, is_resident) == 0);
  int resident = 0;
  for (const unsigned char page : is_resident) resident += page & 1;
  CHECK(resident == 0);
}

TEST_CASE("advice about a range that cannot be is an error, not ignored") {
  const TempDir dir;
  const auto file = create(dir / "f");
  CHECK(file->drop_cache(0, std::numeric_limits<std::uint64_t>::max()).error().sys_errno() == EINVAL);
}

TEST_CASE("the modification time can be set to the millisecond, before 1970 too") {
  const TempDir dir;
  const auto file = create(dir / "f");
  for (const std::int64_t ms :
       {std::int64_t{1'709'251'199'007}, std::int64_t{0}, std::int64_t{-1}, std::int64_t{-1001}}) {
    REQUIRE(file->set_modified_ms(ms));
    CHECK(*file->modified_ms() == ms);
  }
}

TEST_CASE("a file opened to read cannot be mapped to write") {
  const TempDir dir;
  REQUIRE(create(dir / "f")->truncate(10));
  const auto file = posix_vfs().open(dir / "f", OpenMode::read);
  REQUIRE(file);
  CHECK((*file)->map(10, Access::read_write).error().code() == Errc::permission_denied);
  CHECK((*file)->map(10, Access::read).ok());
}
