#include "os/file/small_file.hpp"

#include <doctest/doctest.h>

#include "os/file/posix_vfs.hpp"
#include "support/temp_dir.hpp"

using namespace seriatim;
using namespace seriatim::os;
using test::TempDir;

namespace {

std::string read_text(const std::string& path) {
  const auto bytes = read_small_file(posix_vfs(), path, 1000);
  REQUIRE(bytes);
  return std::string(base::as_text(*bytes));
}

}  // namespace

TEST_CASE("a replaced file has the new bytes only, and nothing is left beside it") {
  const TempDir dir;
  REQUIRE(replace_small_file(posix_vfs(), dir / "f", base::as_bytes("first and longer")));
  CHECK(read_text(dir / "f") == "first and longer");
  REQUIRE(replace_small_file(posix_vfs(), dir / "f", base::as_bytes("second")));
  CHECK(read_text(dir / "f") == "second");
  CHECK(posix_vfs().list(dir.path())->size() == 1);
}

TEST_CASE("what a crash left of an earlier replacement does not show") {
  const TempDir dir;
  const auto left = posix_vfs().open(dir / "f.tmp", OpenMode::create_new);
  REQUIRE(left);
  REQUIRE((*left)->write_at(base::as_bytes("half written, and longer than the next"), 0));
  REQUIRE(replace_small_file(posix_vfs(), dir / "f", base::as_bytes("whole")));
  CHECK(read_text(dir / "f") == "whole");
}

TEST_CASE("a failed replacement leaves the old bytes") {
  const TempDir dir;
  REQUIRE(replace_small_file(posix_vfs(), dir / "f", base::as_bytes("old")));
  REQUIRE(posix_vfs().create_directory(dir / "f.tmp"));
  CHECK(replace_small_file(posix_vfs(), dir / "f", base::as_bytes("new")).error().code() == Errc::io_error);
  CHECK(read_text(dir / "f") == "old");
}

TEST_CASE("a file that is too long is refused before it is read") {
  const TempDir dir;
  REQUIRE(replace_small_file(posix_vfs(), dir / "f", base::as_bytes("12345")));
  CHECK(read_small_file(posix_vfs(), dir / "f", 5).ok());
  const auto refused = read_small_file(posix_vfs(), dir / "f", 4);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::corrupt_metadata);
  CHECK(refused.error().message().find(dir / "f") != std::string::npos);
  CHECK(read_small_file(posix_vfs(), dir / "missing", 4).error().code() == Errc::not_found);
}
