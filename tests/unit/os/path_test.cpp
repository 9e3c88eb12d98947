#include "os/path.hpp"

#include <doctest/doctest.h>

using seriatim::os::join_path;
using seriatim::os::parent_path;

TEST_CASE("joining puts one slash between") {
  CHECK(join_path("a", "b") == "a/b");
  CHECK(join_path("a/", "b") == "a/b");
  CHECK(join_path("/", "b") == "/b");
  CHECK(join_path("", "b") == "b");
}

TEST_CASE("the parent of a path is the directory to sync after a change of its name") {
  CHECK(parent_path("a/b") == "a");
  CHECK(parent_path("a") == ".");
  CHECK(parent_path("/a") == "/");
  CHECK(parent_path("/a/b/") == "/a");
  CHECK(parent_path("/") == "/");
}
