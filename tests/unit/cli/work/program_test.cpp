#include "work/program.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "support/must.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::cli {
namespace {

using test::must;

void make_file(const std::filesystem::path& path, bool is_runnable) {
  std::ofstream(path) << "#!/bin/sh\n";
  if (is_runnable) std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

TEST_CASE("a program is found in the first folder that has one that may be run") {
  const test::TempDir folder(test::TempDir::in_memory());
  const std::filesystem::path root = folder / "x";
  std::filesystem::create_directories(root / "first" / "tool");  // A folder is no program.
  std::filesystem::create_directories(root / "second");
  std::filesystem::create_directories(root / "third");
  make_file(root / "second" / "tool", true);
  make_file(root / "third" / "tool", true);
  const std::string path = (root / "none").string() + ":" + (root / "first").string() + ":" +
                           (root / "second").string() + ":" + (root / "third").string();
  CHECK(must(find_program("tool", path)) == (root / "second" / "tool").string());
  CHECK(must(find_program((root / "third" / "tool").string(), "")) == (root / "third" / "tool").string());
}

TEST_CASE("a program that cannot be run is told with the reason") {
  const test::TempDir folder(test::TempDir::in_memory());
  std::filesystem::create_directories(folder / "bin");
  make_file(std::filesystem::path(folder / "bin") / "plain", false);
  const std::string path = folder / "bin";
  CHECK(find_program("absent", path).error().code() == Errc::not_found);
  CHECK(find_program("absent", path).error().message().find("the command absent") == 0);
  const Error plain = find_program("plain", path).error();
  CHECK(plain.code() == Errc::not_found);
  CHECK(plain.message().find("Permission denied") != std::string::npos);
  CHECK(find_program(path, "").error().message().find("Permission denied") != std::string::npos);
  CHECK(find_program("", path).error().code() == Errc::invalid_argument);
}

}  // namespace
}  // namespace seriatim::cli
