#include "os/absolute_path.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "support/child_process.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::os {
namespace {

std::string absolute_text(const std::filesystem::path& path) {
  auto absolute = absolute_path(path);
  return absolute ? *absolute : "error: " + absolute.error().message();
}

TEST_CASE("a path from the root on stays, one without is put behind the working directory") {
  CHECK(absolute_text("/a/b") == "/a/b");
  CHECK(absolute_text("/") == "/");
  CHECK(absolute_text("a") == std::filesystem::current_path().string() + "/a");
  CHECK(absolute_text("../a") == std::filesystem::current_path().string() + "/../a");
}

TEST_CASE("the end of a path is its last name") {
  CHECK(absolute_text("/a/b/") == "/a/b");
  CHECK(absolute_text("/a/b//") == "/a/b");
  CHECK(absolute_text("/a/b/.") == "/a/b");
  CHECK(absolute_text("/a/b/./") == "/a/b");
  CHECK(absolute_text("/a/b/..") == "/a/b/..");
  CHECK(absolute_text("/a/b.") == "/a/b.");
  CHECK(absolute_text("/.") == "/");
  CHECK(absolute_text(".") == std::filesystem::current_path().string());
}

TEST_CASE("an empty path is no directory") {
  const auto absolute = absolute_path("");
  REQUIRE_FALSE(absolute);
  CHECK(absolute.error().code() == Errc::invalid_argument);
}

TEST_CASE("a working directory that was deleted is named as the reason") {
  const test::TempDir temp;
  const std::string gone = temp / "gone";
  test::ChildProcess child([&](const test::ChildProcess::Voice& voice) {
    std::filesystem::create_directory(gone);
    if (::chdir(gone.c_str()) != 0) ::_exit(2);
    std::filesystem::remove(gone);
    const auto absolute = absolute_path("data");
    voice.say(absolute ? *absolute : std::string(absolute.error().name()) + absolute.error().message());
  });
  const std::string said = child.hear_all();
  CHECK(said.find("NOT_FOUND") == 0);
  CHECK(said.find("working directory") != std::string::npos);
}

}  // namespace
}  // namespace seriatim::os
