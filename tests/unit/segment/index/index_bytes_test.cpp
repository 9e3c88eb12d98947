#include "segment/index/index_bytes.hpp"

#include <doctest/doctest.h>

#include "support/hex.hpp"
#include "unit/segment/segment_fixture.hpp"

using namespace seriatim;

TEST_CASE("an index that is not there is no error") {
  test::SegmentFixture f;
  const auto front = test::must(segment::read_index_front(f.context, f.directory + "/none", 8, 100));
  CHECK_FALSE(front.exists);
  CHECK(front.bytes.empty());
  CHECK_FALSE(test::must(segment::read_index_end(f.context, f.directory + "/none", 8)).exists);
}

TEST_CASE("only whole entries are read, and no more than asked for") {
  test::SegmentFixture f;
  const std::string path = f.directory + "/index";
  test::write_file(path, test::from_hex("0000000000000001 0000000000000002 0000000000000003 00000000"));
  const auto front = test::must(segment::read_index_front(f.context, path, 8, 100));
  CHECK(front.exists);
  CHECK(front.file_bytes == 28);
  CHECK(front.bytes.size() == 24);
  CHECK(test::must(segment::read_index_front(f.context, path, 8, 2)).bytes.size() == 16);
  // Its end says nothing if the length is wrong.
  CHECK_FALSE(test::must(segment::read_index_end(f.context, path, 8)).exists);
  const auto end = test::must(segment::read_index_end(f.context, path, 4));
  CHECK(end.exists);
  CHECK(test::to_hex(end.bytes) == "00 00 00 00");
}

TEST_CASE("the end of an empty index is no entry") {
  test::SegmentFixture f;
  const std::string path = f.directory + "/index";
  test::write_file(path, {});
  const auto end = test::must(segment::read_index_end(f.context, path, 8));
  CHECK(end.exists);
  CHECK(end.bytes.empty());
}

TEST_CASE("reading an index leaves no descriptor in the cache, for the file may be replaced") {
  test::SegmentFixture f;
  const std::string path = f.directory + "/index";
  test::write_file(path, test::from_hex("0000000000000001"));
  test::must(segment::read_index_front(f.context, path, 8, 100));
  CHECK(f.files.size() == 0);
}
