#include "catalog/lmdb/data_file_check.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "catalog/records/catalog_schema.hpp"
#include "unit/catalog/made_catalog.hpp"

namespace seriatim::catalog {
namespace {

struct DataFile : MadeCatalog {
  std::string file = path + "/data.mdb";
  DataFile() {
    Catalog catalog = open();
    must(catalog.create_topic(topic_record("t", 1)));
  }
};

TEST_CASE("the newer meta page of a sound catalog is found") {
  const DataFile made;
  const lmdb::Meta before = must(check_meta_pages(made.path));
  CHECK(before.page_bytes == 4'096);
  CHECK(before.main_tree.entries == database_count);
  {
    Catalog catalog = must(Catalog::open(made.path, options()));
    must(catalog.create_topic(topic_record("u", 2)));
  }
  const lmdb::Meta after = must(check_meta_pages(made.path));
  CHECK(after.transaction == before.transaction + 1);
  CHECK(must(meta_of_transaction(made.path, after.transaction))->main_tree.root == after.main_tree.root);
  CHECK(must(meta_of_transaction(made.path, before.transaction)).has_value());
  CHECK_FALSE(must(meta_of_transaction(made.path, before.transaction - 1)).has_value());
}

TEST_CASE("anything but a regular data file is refused without being opened") {
  const auto refused = [](const std::function<void(const DataFile&)>& replace) {
    const DataFile made;
    replace(made);
    const Result<Catalog> opened = Catalog::open(made.path, options());
    REQUIRE_FALSE(opened.ok());
    return opened.error();
  };
  const Error missing = refused([](const DataFile& made) { std::filesystem::remove(made.file); });
  CHECK(missing.code() == Errc::not_found);
  CHECK(missing.message().find("/data.mdb does not exist; choose") != std::string::npos);
  const Error linked = refused([](const DataFile& made) {
    std::filesystem::rename(made.file, made.path + "/elsewhere");
    std::filesystem::create_symlink("elsewhere", made.file);
  });
  CHECK(linked.code() == Errc::io_error);
  CHECK(linked.message().find("not a regular file") != std::string::npos);
  // Opening a FIFO would block until somebody writes to it.
  CHECK(refused([](const DataFile& made) {
          std::filesystem::remove(made.file);
          REQUIRE(::mkfifo(made.file.c_str(), 0600) == 0);
        }).code() == Errc::io_error);
  CHECK(refused([](const DataFile& made) {
          std::filesystem::remove(made.file);
          std::filesystem::create_directory(made.file);
        }).code() == Errc::io_error);
  CHECK(refused([](const DataFile& made) {
          std::filesystem::remove(made.path + "/lock.mdb");
          REQUIRE(::mkfifo((made.path + "/lock.mdb").c_str(), 0600) == 0);
        }).code() == Errc::io_error);
  CHECK(refused([](const DataFile& made) { std::filesystem::remove_all(made.path); }).code() ==
        Errc::not_found);
}

TEST_CASE("a data file cut off anywhere is a clear error, never a crash") {
  const DataFile made;
  const std::string whole = read_all(made.file);
  const lmdb::Meta meta = must(check_meta_pages(made.path));
  std::vector<std::size_t> lengths{0, 1, 16, 151, 152, 4'095, 4'096, 4'097, 4'096 + 151, 2 * 4'096};
  for (std::size_t length = 3 * 4'096; length < (meta.last_page + 1) * 4'096; length += 2'048)
    lengths.push_back(length);
  for (const std::size_t length : lengths) {
    CAPTURE(length);
    write_all(made.file, std::string_view(whole).substr(0, length));
    for (const Access access : {Access::read_write, Access::read_only}) {
      const Result<Catalog> opened = Catalog::open(made.path, options(access));
      // Free pages at the end may be missing; then everything must be there.
      if (opened.ok()) {
        CHECK(opened->topic("t").ok());
        continue;
      }
      CHECK(opened.error().code() == Errc::corrupt_metadata);
      CHECK(opened.error().message().find(made.file) != std::string::npos);
      CHECK(opened.error().message().find("restore the catalog") != std::string::npos);
    }
  }
}

TEST_CASE("a file of zeros, as a power cut leaves it, is a clear error") {
  const DataFile made;
  for (const std::size_t length : {std::size_t{4096}, std::size_t{8192}, std::size_t{12288}}) {
    write_all(made.file, std::string(length, '\0'));
    const Result<Catalog> opened = Catalog::open(made.path, options());
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().code() == Errc::corrupt_metadata);
    CHECK(opened.error().message().find("not an LMDB file") != std::string::npos);
  }
}

TEST_CASE("each thing LMDB would believe in a meta page is checked first") {
  const DataFile made;
  const std::string whole = read_all(made.file);
  const lmdb::Meta meta = must(check_meta_pages(made.path));
  const std::uint64_t newer = meta.transaction % 2 * 4'096;
  REQUIRE(newer == 4'096);
  struct Row {
    std::string what;
    std::function<void()> damage;
    Errc code;
    const char* part_of_message;
  };
  const std::string& file = made.file;
  const std::vector<Row> rows{
      {"magic", [&] { patch(file, newer + 16, 0x12345678U); }, Errc::corrupt_metadata, "wrong magic"},
      {"byte order", [&] { patch(file, newer + 16, base::byte_swap(lmdb::magic)); },
       Errc::unsupported_version, "byte order"},
      {"version", [&] { patch(file, newer + 20, 2U); }, Errc::unsupported_version, "data version 2"},
      {"page flags", [&] { patch(file, newer + 10, std::uint16_t{2}); }, Errc::corrupt_metadata,
       "header of meta page 1"},
      {"page number", [&] { patch(file, newer, std::uint64_t{7}); }, Errc::corrupt_metadata,
       "header of meta page 1"},
      {"page size 0", [&] { patch(file, newer + 40, 0U); }, Errc::corrupt_metadata, "page size 0"},
      {"page size odd", [&] { patch(file, newer + 40, 4'097U); }, Errc::corrupt_metadata, "page size 4097"},
      {"page size huge", [&] { patch(file, newer + 40, 1U << 20U); }, Errc::corrupt_metadata,
       "page size 1048576"},
      {"page sizes differ", [&] { patch(file, newer + 40, 8'192U); }, Errc::corrupt_metadata,
       "differ in page size"},
      {"map size", [&] { patch(file, newer + 32, ~0ULL); }, Errc::corrupt_metadata, "is impossible"},
      {"last page", [&] { patch(file, newer + 136, ~0ULL); }, Errc::corrupt_metadata, "is impossible"},
      {"last page far", [&] { patch(file, newer + 136, 1ULL << 30U); }, Errc::corrupt_metadata, "far beyond"},
      {"last page not so far", [&] { patch(file, newer + 136, 200'000ULL); }, Errc::corrupt_metadata,
       "far beyond"},
      {"root 1", [&] { patch(file, newer + 88 + 40, 1ULL); }, Errc::corrupt_metadata, "root of a tree"},
      {"root beyond", [&] { patch(file, newer + 88 + 40, 1ULL << 20U); }, Errc::corrupt_metadata,
       "root of a tree"},
      {"depth", [&] { patch(file, newer + 88 + 6, std::uint16_t{33}); }, Errc::corrupt_metadata,
       "root of a tree"},
      {"tree flags", [&] { patch(file, newer + 88 + 4, std::uint16_t{4}); }, Errc::corrupt_metadata,
       "root of a tree"},
      {"transaction", [&] { patch(file, newer + 144, meta.transaction + 2); }, Errc::corrupt_metadata,
       "the last that was stored"},
      {"older made newer", [&] { patch(file, 4'096 - newer + 144, meta.transaction + 1); },
       Errc::corrupt_metadata, "the last that was stored"},
      {"newer made older", [&] { patch(file, newer + 144, meta.transaction - 2); }, Errc::corrupt_metadata,
       "the last that was stored"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    row.damage();
    const Result<Catalog> opened = Catalog::open(made.path, options());
    write_all(file, whole);
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().code() == row.code);
    CAPTURE(opened.error().message());
    CHECK(opened.error().message().find(row.part_of_message) != std::string::npos);
    CHECK(opened.error().message().find(made.path) != std::string::npos);
  }
  CHECK(Catalog::open(made.path, options()).ok());
}

TEST_CASE("the older meta page must have the length of pages, too: LMDB goes by the first it reads") {
  const DataFile made;
  REQUIRE(must(check_meta_pages(made.path)).transaction % 2 == 1);  // The older one is the first.
  patch(made.file, 40, 0U);
  const Result<lmdb::Meta> meta = check_meta_pages(made.path);
  REQUIRE_FALSE(meta.ok());
  CHECK(meta.error().code() == Errc::corrupt_metadata);
  CHECK(meta.error().message().find("differ in page size") != std::string::npos);
}

}  // namespace
}  // namespace seriatim::catalog
