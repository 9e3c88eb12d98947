// Programs that an application starts while it has a directory open.
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>

#include <fcntl.h>

#include <doctest/doctest.h>

#include <seriatim/engine.hpp>

#include "support/must.hpp"
#include "support/temp_dir.hpp"

namespace seriatim {
namespace {

using test::must;

// Descriptors of files in `directory`: all, and those that a program would inherit.
struct OpenFiles {
  std::size_t all = 0;
  std::string inherited{};
};

OpenFiles open_files_of(const std::string& directory) {
  OpenFiles files;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
    if (gone || !target.starts_with(directory + "/")) continue;
    ++files.all;
    const int flags = ::fcntl(std::stoi(entry.path().filename().string()), F_GETFD);
    if ((flags & FD_CLOEXEC) == 0) files.inherited += target + " ";
  }
  return files;
}

TEST_CASE("a program that is started while a directory is open inherits none of its files") {
  const test::TempDir folder;
  const std::string directory = std::filesystem::canonical(std::filesystem::path(folder / "")).string();
  for (const OpenMode mode : {OpenMode::create_if_missing, OpenMode::read_write, OpenMode::read_only}) {
    const Engine engine = must(Engine::open(directory + "/data", {.mode = mode}));
    if (mode == OpenMode::create_if_missing) must(engine.admin().create_topic({.name = "t"}));
    if (mode != OpenMode::read_only) {
      Producer producer = must(engine.producer());
      must(producer.send_sync({.topic = "t", .value = "v"}));
    }
    const OpenFiles files = open_files_of(directory);
    CHECK(files.all > 0);
    CHECK(files.inherited == "");
  }
}

}  // namespace
}  // namespace seriatim
