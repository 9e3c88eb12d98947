#include "segment/index/index_file.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "unit/segment/segment_fixture.hpp"

using namespace seriatim;
using segment::IndexFile;
using segment::IndexShape;

namespace {

using Entry = std::array<std::byte, 8>;

Entry entry(std::uint64_t value) {
  Entry bytes;
  base::store_be(bytes.data(), value);
  return bytes;
}

std::uint64_t value_at(const IndexFile& index, std::uint64_t at) {
  return base::load_be<std::uint64_t>(index.entry(at));
}

struct IndexFileFixture : test::SegmentFixture {
  std::string path = directory + "/index";
  std::unique_ptr<IndexFile> open(std::uint64_t valid, IndexShape shape = {8, 1 << 20, true}) {
    return test::must(IndexFile::open_active(context, path, shape, valid));
  }
  void fill(IndexFile& index, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t i = from; i < to; ++i) {
      test::must(index.stage(entry(i).data()));
      index.commit();
    }
  }
};

}  // namespace

TEST_CASE("a staged entry counts for nobody before it is committed, and staging again overwrites it") {
  for (const bool mapped : {true, false}) {
    IndexFileFixture f;
    auto index = f.open(0, {8, 1 << 20, mapped});
    test::must(index->stage(entry(7).data()));
    CHECK(index->count() == 0);
    test::must(index->stage(entry(8).data()));
    index->commit();
    REQUIRE(index->count() == 1);
    CHECK(value_at(*index, 0) == 8);
  }
}

TEST_CASE("the file grows a page at first, then in chunks, never beyond its limit") {
  IndexFileFixture f;
  auto index = f.open(0, {8, 100'000, true});
  CHECK(test::file_size(f.path) == 0);
  f.fill(*index, 0, 1);
  CHECK(test::file_size(f.path) == 4096);
  f.fill(*index, 1, 513);
  CHECK(test::file_size(f.path) == 8192);
  f.fill(*index, 513, 1025);
  CHECK(test::file_size(f.path) == 16'384);
  f.fill(*index, 1025, 12'500);
  CHECK(index->is_full());
  CHECK(test::file_size(f.path) == 100'000);
  for (std::uint64_t i = 0; i < index->count(); ++i) REQUIRE(value_at(*index, i) == i);
}

TEST_CASE("trimming leaves the exact length, and appending goes on afterwards") {
  for (const bool mapped : {true, false}) {
    IndexFileFixture f;
    auto index = f.open(0, {8, 1 << 20, mapped});
    f.fill(*index, 0, 100);
    test::must(index->trim());
    CHECK(test::file_size(f.path) == 800);
    test::must(index->stage(entry(100).data()));
    test::must(index->trim(1));
    CHECK(test::file_size(f.path) == 808);
    index->commit();
    f.fill(*index, 101, 200);
    for (std::uint64_t i = 0; i < 200; ++i) REQUIRE(value_at(*index, i) == i);
  }
}

TEST_CASE(
    "opening keeps the entries that are right and erases the rest, in a file that others may have mapped") {
  IndexFileFixture f;
  {
    auto first = f.open(0);
    f.fill(*first, 0, 100);
    test::must(first->trim());
  }
  auto index = f.open(40);
  CHECK(index->count() == 40);
  REQUIRE(test::file_size(f.path) == 800);
  const auto bytes = test::read_file(f.path);
  CHECK(std::all_of(bytes.begin() + 320, bytes.end(), [](std::byte b) { return b == std::byte{0}; }));
  f.fill(*index, 1000, 1001);
  CHECK(value_at(*index, 39) == 39);
  CHECK(value_at(*index, 40) == 1000);
  test::must(index->trim());
  CHECK(test::file_size(f.path) == 328);
}

TEST_CASE("an entry that does not count any more stays in the file until another takes its place") {
  IndexFileFixture f;
  f.fill(*f.open(0), 0, 3);
  auto index = f.open(3);
  index->uncount_last();
  CHECK(index->count() == 2);
  CHECK(value_at(*index, 2) == 2);
  f.fill(*index, 9, 10);
  REQUIRE(index->count() == 3);
  CHECK(value_at(*index, 2) == 9);
}

TEST_CASE("an index that holds fewer entries than known to be right is refused") {
  IndexFileFixture f;
  f.fill(*f.open(0), 0, 10);
  test::must(f.open(10)->trim());
  const auto opened = IndexFile::open_active(f.context, f.path, {8, 1 << 20, true}, 11);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code() == Errc::corrupt_metadata);
  CHECK(opened.error().message().find(f.path) != std::string::npos);
}

TEST_CASE("an index with more entries than its limit allows is whole and full") {
  IndexFileFixture f;
  f.fill(*f.open(0), 0, 100);
  const auto index = f.open(100, {8, 400, true});
  CHECK(index->count() == 100);
  CHECK(index->is_full());
  CHECK(value_at(*index, 99) == 99);
}

TEST_CASE("a sealed index is mapped whole, an empty one too") {
  IndexFileFixture f;
  auto active = f.open(0);
  test::must(active->trim());
  CHECK(test::must(IndexFile::open_sealed(f.context, f.path, 8))->count() == 0);
  f.fill(*active, 0, 1000);
  test::must(active->trim());
  const auto index = test::must(IndexFile::open_sealed(f.context, f.path, 8));
  REQUIRE(index->count() == 1000);
  CHECK(value_at(*index, 999) == 999);
  CHECK(index->size_bytes() == 8000);
}

TEST_CASE("a sealed index that is missing or has half an entry is told apart, for its caller to rebuild") {
  IndexFileFixture f;
  const auto missing = IndexFile::open_sealed(f.context, f.path, 8);
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code() == Errc::corrupt_metadata);
  CHECK(missing.error().message().find(f.path) != std::string::npos);
  CHECK(missing.error().message().find("seriatim repair") != std::string::npos);
  test::write_file(f.path, std::vector<std::byte>(20));
  CHECK(IndexFile::open_sealed(f.context, f.path, 8).error().code() == Errc::corrupt_metadata);
}

TEST_CASE("readers see whole entries while the writer appends") {
  IndexFileFixture f;
  auto index = f.open(0);
  constexpr std::uint64_t entries = 50'000;
  std::thread reader([&] {
    for (std::uint64_t seen = 0; seen < entries;) {
      const std::uint64_t count = index->count();
      for (; seen < count; ++seen) {
        if (value_at(*index, seen) != seen) {
          FAIL_CHECK("entry " << seen << " is not whole");
          return;
        }
      }
    }
  });
  f.fill(*index, 0, entries);
  reader.join();
}
