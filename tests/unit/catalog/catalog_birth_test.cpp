#include "catalog/catalog_birth.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "unit/catalog/made_catalog.hpp"

namespace seriatim::catalog {
namespace {

TEST_CASE("a catalog is born whole: empty, with its directory id, not clean") {
  const test::TempDir dir;
  make_catalog(dir / "catalog");
  CHECK_FALSE(std::filesystem::exists(dir / "catalog.new"));
  const Catalog catalog = must(Catalog::open(dir / "catalog", options()));
  CHECK(must(catalog.topics()).empty());
  CHECK(must(catalog.deleted_topics()).empty());
  CHECK(must(catalog.groups()).empty());
  const EngineRecord engine = must(catalog.engine());
  CHECK(engine == EngineRecord{id_of(1), false, 0});
}

TEST_CASE("a catalog is not made over something else") {
  const test::TempDir dir;
  write_all(dir / "precious", "bytes");
  const Result<void> made = create_catalog(dir.path(), id_of(1), real_files());
  REQUIRE_FALSE(made.ok());
  CHECK(made.error().code() == Errc::invalid_argument);
  CHECK_FALSE(std::filesystem::exists(dir / "data.mdb"));

  const Result<void> nowhere = create_catalog(dir / "missing", id_of(1), real_files());
  REQUIRE_FALSE(nowhere.ok());
  CHECK(nowhere.error().code() == Errc::not_found);
}

TEST_CASE("publishing syncs the directory, renames it, then syncs its parent") {
  const test::TempDir dir;
  std::vector<std::string> steps;
  CatalogFiles files;
  files.rename = [&](const std::string& from, const std::string& to) -> Result<void> {
    steps.push_back("rename " + from + " " + to);
    return {};
  };
  files.sync_directory = [&](const std::string& directory) -> Result<void> {
    steps.push_back("sync " + directory);
    return {};
  };
  must(publish_catalog(dir / "catalog.new", dir / "catalog", files));
  CHECK(steps == std::vector<std::string>{"sync " + (dir / "catalog.new"),
                                          "rename " + (dir / "catalog.new") + " " + (dir / "catalog"),
                                          "sync " + dir.path()});
}

TEST_CASE("a step that fails ends the publication") {
  const test::TempDir dir;
  int renames = 0;
  CatalogFiles files;
  files.rename = [&](const std::string&, const std::string&) -> Result<void> {
    ++renames;
    return {};
  };
  files.sync_directory = [](const std::string&) -> Result<void> { return Error(Errc::io_error, "no sync"); };
  CHECK_FALSE(publish_catalog(dir / "catalog.new", dir / "catalog", files).ok());
  CHECK(renames == 0);
}

TEST_CASE("a catalog is not published over another one") {
  const test::TempDir dir;
  make_catalog(dir / "catalog");
  std::filesystem::create_directory(dir / "catalog.new");
  must(create_catalog(dir / "catalog.new", id_of(2), real_files()));
  const Result<void> published = publish_catalog(dir / "catalog.new", dir / "catalog", real_files());
  REQUIRE_FALSE(published.ok());
  CHECK(published.error().code() == Errc::invalid_state);
  CHECK(must(must(Catalog::open(dir / "catalog", options())).engine()).directory_id == id_of(1));
}

}  // namespace
}  // namespace seriatim::catalog
