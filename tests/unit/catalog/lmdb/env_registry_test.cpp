#include "catalog/lmdb/env_registry.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <optional>

#include "support/temp_dir.hpp"

namespace seriatim::catalog {
namespace {

TEST_CASE("a directory is claimed once per process, under whatever name, and free again afterwards") {
  const test::TempDir dir;
  std::filesystem::create_directory(dir / "catalog");
  std::filesystem::create_directory_symlink(dir / "catalog", dir / "alias");
  {
    const Result<OpenClaim> first = OpenClaim::acquire(dir / "catalog", 1);
    REQUIRE(first.ok());
    for (const std::string& name : {dir / "catalog", dir / "catalog/.", dir / "alias"}) {
      CAPTURE(name);
      const Result<OpenClaim> second = OpenClaim::acquire(name, 1);
      REQUIRE_FALSE(second.ok());
      CHECK(second.error().code() == Errc::invalid_state);
      CHECK(second.error().message().find("already open in this process") != std::string::npos);
    }
    CHECK(OpenClaim::acquire(dir.path(), 1).ok());
    CHECK(OpenClaim::acquire(dir / "catalog", 2).ok());  // another process
  }
  CHECK(OpenClaim::acquire(dir / "alias", 1).ok());
}

TEST_CASE("a moved claim is given back once, by its new owner") {
  const test::TempDir dir;
  std::optional<OpenClaim> kept;
  {
    Result<OpenClaim> made = OpenClaim::acquire(dir.path(), 1);
    REQUIRE(made.ok());
    kept.emplace(std::move(*made));
  }
  CHECK_FALSE(OpenClaim::acquire(dir.path(), 1).ok());
  kept.reset();
  CHECK(OpenClaim::acquire(dir.path(), 1).ok());
}

TEST_CASE("a claim that is kept for ever is never given back") {
  const test::TempDir dir;
  {
    Result<OpenClaim> made = OpenClaim::acquire(dir.path(), 1);
    REQUIRE(made.ok());
    made->keep_for_ever();
  }
  CHECK_FALSE(OpenClaim::acquire(dir.path(), 1).ok());
}

}  // namespace
}  // namespace seriatim::catalog
