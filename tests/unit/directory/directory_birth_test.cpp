#include "directory/directory_birth.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "directory/files/format_file.hpp"
#include "os/file/posix_vfs.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::directory {

using test::code_of;
using test::must;

TEST_CASE("a birth begins anew over what an interrupted one has left") {
  const test::TempDir dir;
  std::filesystem::create_directories(dir / "catalog.new.17/half");
  std::filesystem::create_directory(dir / "catalog");
  std::filesystem::create_directory(dir / "log");
  for (const char* name : {"catalog", "catalog.new.17", "log", "journal", "LOCK", "FORMAT.tmp"})
    CHECK(is_birth_leftover(name));
  CHECK_FALSE(is_birth_leftover("letters"));
  must(give_birth(os::posix_vfs(), {.directory = dir.path()}));
  CHECK_FALSE(std::filesystem::exists(dir / "catalog.new.17"));
  CHECK(std::filesystem::exists(dir / "catalog/data.mdb"));
  CHECK(read_format_file(os::posix_vfs(), dir.path()).ok());
  must(check_layout(os::posix_vfs(), dir.path()));
}

TEST_CASE("where there are data, a missing FORMAT is lost, and nothing is born over them") {
  const test::TempDir dir;
  std::filesystem::create_directories(dir / "log/orders-0");
  const auto born = give_birth(os::posix_vfs(), {.directory = dir.path()});
  CHECK(code_of(born) == Errc::corrupt_metadata);
  CHECK(born.error().message().find("orders-0") != std::string::npos);
  CHECK(std::filesystem::exists(dir / "log/orders-0"));
  CHECK_FALSE(std::filesystem::exists(dir / "FORMAT"));
}

TEST_CASE("a directory without its log or catalog is told so") {
  const test::TempDir dir;
  must(give_birth(os::posix_vfs(), {.directory = dir.path()}));
  std::filesystem::remove(dir / "log");
  CHECK(code_of(check_layout(os::posix_vfs(), dir.path())) == Errc::corrupt_metadata);
  std::ofstream(dir / "log") << "a file";
  CHECK(code_of(check_layout(os::posix_vfs(), dir.path())) == Errc::io_error);
}

}  // namespace seriatim::directory
