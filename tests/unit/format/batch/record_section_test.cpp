#include "format/batch/record_section.hpp"

#include <doctest/doctest.h>

#include "format/batch_layout.hpp"
#include "unit/format/examples.hpp"

using namespace seriatim;
using namespace seriatim::format;

TEST_CASE("an uncompressed section is a view into the batch") {
  const test::Bytes batch = test::example_a();
  test::Bytes scratch;
  const Result<base::ByteSpan> section = record_section(batch, 0, scratch);
  REQUIRE(section);
  CHECK(section->data() == batch.data() + records_at);
  CHECK(section->size() == batch.size() - records_at);
  CHECK(scratch.empty());
}

TEST_CASE("examples G to J hold the same plain section") {
  test::Bytes scratch(1000, std::byte{0xEE});
  for (const test::Bytes& batch :
       {test::example_g_gzip(), test::example_h_lz4(), test::example_i_snappy(), test::example_j_zstd()}) {
    const Result<base::ByteSpan> section = record_section(batch, 62, scratch);
    REQUIRE(section);
    CHECK(test::to_hex(*section) == test::to_hex(test::example_plain_section()));
  }
}

TEST_CASE("a section that expands to more than allowed is refused") {
  test::Bytes scratch;
  for (const test::Bytes& batch :
       {test::example_g_gzip(), test::example_h_lz4(), test::example_i_snappy(), test::example_j_zstd()}) {
    const Result<base::ByteSpan> section = record_section(batch, 61, scratch);
    REQUIRE_FALSE(section);
    CHECK(section.error().code() == Errc::corrupt_record);
  }
}

TEST_CASE("a remnant has an empty section") {
  const test::Bytes batch = test::example_k();
  test::Bytes scratch;
  const Result<base::ByteSpan> section = record_section(batch, 0, scratch);
  REQUIRE(section);
  CHECK(section->empty());
}
