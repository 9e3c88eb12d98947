#include "directory/topics/deleted_topic_files.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "directory/files/format_file.hpp"
#include "format/file_name.hpp"
#include "os/file/posix_vfs.hpp"
#include "support/must.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::directory {

TEST_CASE("the files of a deleted topic go, with those an earlier deletion has left, and no other topic's") {
  const test::TempDir dir;
  const std::string left = format::deleted_partition_directory({"u", 0}, id_text(random_id()));
  for (const std::string& name : {std::string("t-0"), std::string("t-2"), std::string("t-3"), left,
                                  std::string("tt-0"), std::string("t-0-0")}) {
    std::filesystem::create_directory(dir / name);
    std::ofstream(dir / (name + "/00000000000000000000.log")) << "bytes";
  }
  os::FdCache files(os::posix_vfs(), 4);
  const std::string path = dir.path();
  const DeletedTopicFiles remains{os::posix_vfs(), files, path};
  // Of partition 1 there is nothing: a deletion that was stopped had come so far.
  for (int i = 0; i < 2; ++i) {
    test::must(remains.remove("t", 3));
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path))
      names.insert(entry.path().filename().string());
    CHECK(names == std::set<std::string>{"t-3", "tt-0", "t-0-0"});
  }
}

}  // namespace seriatim::directory
