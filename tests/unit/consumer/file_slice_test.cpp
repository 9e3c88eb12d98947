#include <unistd.h>

#include <algorithm>

#include "unit/api/reading_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("a slice that holds nothing answers with nothing") {
  const FileSlice slice;
  CHECK(slice.empty());
  CHECK(slice.fd() == -1);
  CHECK(slice.position() == 0);
  CHECK(slice.first_offset() == 0);
  CHECK(slice.next_offset() == 0);
  CHECK(slice.bytes().empty());
}

TEST_CASE("a slice's descriptor, position and size name its bytes, and they outlive engine and file") {
  FileSlice slice;
  {
    OpenedEngine opened;
    append_batch(opened.engine, t0, {.records = 3});
    append_batch(opened.engine, t0, {.records = 3});
    slice = must(must(opened.engine.reader(t0)).fetch(3));
  }
  CHECK(slice.first_offset() == 3);
  CHECK(slice.next_offset() == 6);
  CHECK(slice.position() > 0);
  std::vector<std::byte> bytes(slice.size());
  REQUIRE(::pread(slice.fd(), bytes.data(), bytes.size(), static_cast<off_t>(slice.position())) ==
          static_cast<ssize_t>(bytes.size()));
  CHECK(std::equal(bytes.begin(), bytes.end(), slice.bytes().begin(), slice.bytes().end()));
}

}  // namespace
}  // namespace seriatim::test
