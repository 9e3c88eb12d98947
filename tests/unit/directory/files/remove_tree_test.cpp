#include "directory/files/remove_tree.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "os/file/posix_vfs.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::directory {

TEST_CASE("a tree is removed whole, and nothing that a link in it leads to") {
  const test::TempDir dir;
  std::filesystem::create_directories(dir / "tree/inner/empty");
  std::filesystem::create_directory(dir / "beside");
  for (const char* file : {"tree/a", "tree/inner/b", "beside/kept"}) std::ofstream(dir / file) << "bytes";
  std::filesystem::create_directory_symlink(dir / "beside", dir / "tree/inner/link");
  REQUIRE(remove_tree(os::posix_vfs(), dir / "tree").ok());
  CHECK_FALSE(std::filesystem::exists(dir / "tree"));
  CHECK(std::filesystem::exists(dir / "beside/kept"));
  const auto again = remove_tree(os::posix_vfs(), dir / "tree");
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().code() == Errc::not_found);
}

}  // namespace seriatim::directory
