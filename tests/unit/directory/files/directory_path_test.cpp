#include "directory/files/directory_path.hpp"

#include <doctest/doctest.h>

#include "os/file/posix_vfs.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::directory {
namespace {

TEST_CASE("a directory that exists is told by its absolute path, one that does not as not found") {
  const test::TempDir temp;
  const auto there = existing_directory(os::posix_vfs(), temp.path() + "/");
  REQUIRE(there);
  CHECK(*there == temp.path());
  const auto missing = existing_directory(os::posix_vfs(), temp / "missing");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code() == Errc::not_found);
  CHECK(missing.error().message().find(temp / "missing") != std::string::npos);
  const auto empty = existing_directory(os::posix_vfs(), "");
  REQUIRE_FALSE(empty);
  CHECK(empty.error().code() == Errc::invalid_argument);
}

TEST_CASE("a data directory has a FORMAT file or a catalog") {
  const test::TempDir temp;
  const auto none = existing_data_directory(os::posix_vfs(), temp.path());
  REQUIRE_FALSE(none);
  CHECK(none.error().code() == Errc::not_a_data_directory);
  std::filesystem::create_directory(temp / "catalog");
  CHECK(existing_data_directory(os::posix_vfs(), temp.path()).ok());
}

}  // namespace
}  // namespace seriatim::directory
