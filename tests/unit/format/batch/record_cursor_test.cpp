#include "format/batch/record_cursor.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "format/batch_layout.hpp"
#include "unit/format/examples.hpp"

using namespace seriatim;
using namespace seriatim::format;
using Step = RecordCursor::Step;

namespace {

base::ByteSpan section_of(const test::Bytes& batch) { return base::ByteSpan(batch).subspan(records_at); }

// The result of the first step over a section of one record.
Step first_step(std::string_view hex) {
  const test::Bytes section = test::from_hex(hex);
  DecodedRecord record;
  return RecordCursor(section, 1).next(record);
}

}  // namespace

TEST_CASE("the records of a worked example are read in place") {
  const test::Bytes batch = test::example_b();
  RecordCursor cursor(section_of(batch), 3, 2);
  DecodedRecord record;

  REQUIRE(cursor.next(record) == Step::record);
  CHECK(record.offset_delta == 0);
  CHECK(record.timestamp_delta == 0);
  CHECK(record.key.text() == "user-1");
  CHECK(record.value.text() == "v1");
  CHECK(record.key.data() >= batch.data());
  CHECK(record.key.data() < batch.data() + batch.size());
  REQUIRE(record.header_count == 2);
  HeaderCursor headers(record.headers, record.header_count);
  HeaderView header;
  REQUIRE(headers.next(header));
  CHECK(header.key == "h1");
  CHECK(test::to_hex(header.value.bytes()) == "01");
  CHECK_FALSE(headers.is_finished());
  REQUIRE(headers.next(header));
  CHECK(header.key == "h2");
  CHECK(header.value.is_null());
  CHECK(headers.is_finished());
  CHECK_FALSE(headers.next(header));
  CHECK(headers.is_finished());

  REQUIRE(cursor.next(record) == Step::record);
  CHECK(record.offset_delta == 1);
  CHECK(record.timestamp_delta == 5);
  CHECK(record.key.is_null());
  CHECK(record.value.text() == "v2");
  CHECK(record.header_count == 0);

  REQUIRE(cursor.next(record) == Step::record);
  CHECK(record.offset_delta == 2);
  CHECK(record.timestamp_delta == -3);
  CHECK(record.key.text() == "user-1");
  CHECK(record.value.is_null());

  CHECK(cursor.next(record) == Step::end);
  CHECK(cursor.next(record) == Step::end);
}

TEST_CASE("an empty section ends at once, if no record is declared") {
  DecodedRecord record;
  CHECK(RecordCursor({}, 0).next(record) == Step::end);
  CHECK(RecordCursor({}, 1).next(record) == Step::malformed);
  CHECK(RecordCursor({}, -1).next(record) == Step::malformed);
}

TEST_CASE("one record too many or too few for the count is malformed") {
  const test::Bytes batch = test::example_b();
  for (const std::int32_t count : {2, 4}) {
    RecordCursor cursor(section_of(batch), count);
    DecodedRecord record;
    for (std::int32_t i = 0; i < std::min(count, 3); ++i) REQUIRE(cursor.next(record) == Step::record);
    CHECK(cursor.next(record) == Step::malformed);
    CHECK(cursor.next(record) == Step::malformed);
  }
}

TEST_CASE("a section that is cut anywhere is malformed") {
  const test::Bytes batch = test::example_b();
  const base::ByteSpan section = section_of(batch);
  for (std::size_t size = 0; size < section.size(); ++size) {
    RecordCursor cursor(section.first(size), 3);
    DecodedRecord record;
    Step step = Step::record;
    while (step == Step::record) step = cursor.next(record);
    CAPTURE(size);
    CHECK(step == Step::malformed);
  }
}

TEST_CASE("the declared length of a record is consumed exactly") {
  CHECK(first_step("18 00 00 00 02 6b 0a 68 65 6c 6c 6f 00") == Step::record);
  CHECK(first_step("1a 00 00 00 02 6b 0a 68 65 6c 6c 6f 00 00") == Step::malformed);  // one byte too long
  CHECK(first_step("16 00 00 00 02 6b 0a 68 65 6c 6c 6f 00") == Step::malformed);     // one byte too short
  CHECK(first_step("1a 00 00 00 02 6b 0a 68 65 6c 6c 6f 00") == Step::malformed);     // beyond the section
  CHECK(first_step("00") == Step::malformed);
  CHECK(first_step("01") == Step::malformed);
  CHECK(first_step("ff ff ff ff 0f") == Step::malformed);
}

TEST_CASE("lengths inside a record are bounded by it") {
  CHECK(first_step("0c 00 00 00 01 01 00") == Step::record);
  CHECK(first_step("0c 00 00 00 7e 01 00") == Step::malformed);              // key
  CHECK(first_step("0c 00 00 00 01 7e 00") == Step::malformed);              // value
  CHECK(first_step("14 00 00 00 fe ff ff ff 0f 01 00") == Step::malformed);  // key of 2^31 - 1
  CHECK(first_step("14 00 00 00 01 fe ff ff ff 0f 00") == Step::malformed);  // value of 2^31 - 1
  CHECK(first_step("20 00 80 80 80 80 80 80 80 80 80 80 00 00 01 01 00") ==
        Step::malformed);  // varlong of 11
}

TEST_CASE("an empty key or value is not null") {
  const test::Bytes section = test::from_hex("0c 00 00 00 00 00 00");
  RecordCursor cursor(section, 1);
  DecodedRecord record;
  REQUIRE(cursor.next(record) == Step::record);
  CHECK_FALSE(record.key.is_null());
  CHECK(record.key.empty());
  CHECK_FALSE(record.value.is_null());
  CHECK(record.value.empty());
}

TEST_CASE("headers are validated with their record") {
  CHECK(first_step("10 00 00 00 01 01 02 00 01") == Step::record);        // one header: empty key, null value
  CHECK(first_step("0c 00 00 00 01 01 01") == Step::malformed);           // count -1
  CHECK(first_step("0c 00 00 00 01 01 02") == Step::malformed);           // a header is missing
  CHECK(first_step("10 00 00 00 01 01 02 01 01") == Step::malformed);     // header key length -1
  CHECK(first_step("10 00 00 00 01 01 02 04 01") == Step::malformed);     // key beyond the record
  CHECK(first_step("10 00 00 00 01 01 02 00 04") == Step::malformed);     // value beyond the record
  CHECK(first_step("12 00 00 00 01 01 02 00 01 00") == Step::malformed);  // a byte left over
  CHECK(first_step("14 00 00 00 01 01 fe ff ff ff 0f") == Step::malformed);  // count of 2^31 - 1
  CHECK(first_step("10 00 00 00 01 01 00 00 01") == Step::malformed);        // bytes after count 0
}

TEST_CASE("offset deltas rise and stay within the batch") {
  const std::string first = "0c 00 00 00 01 01 00";
  const auto second_step = [&first](std::string_view second, std::int32_t last_offset_delta) {
    const test::Bytes section = test::from_hex(first + std::string(second));
    RecordCursor cursor(section, 2, last_offset_delta);
    DecodedRecord record;
    REQUIRE(cursor.next(record) == Step::record);
    return cursor.next(record);
  };
  CHECK(second_step("0c 00 00 02 01 01 00", 1) == Step::record);
  CHECK(second_step("0c 00 00 0a 01 01 00", 5) == Step::record);     // compaction leaves gaps
  CHECK(second_step("0c 00 00 0a 01 01 00", 4) == Step::malformed);  // beyond the batch
  CHECK(second_step("0c 00 00 00 01 01 00", 5) == Step::malformed);  // the same again
  CHECK(first_step("0c 00 00 01 01 01 00") == Step::malformed);      // negative
}

TEST_CASE("a header cursor over malformed bytes ends without having finished") {
  const test::Bytes bytes = test::from_hex("02 61 7e");
  HeaderCursor cursor(bytes, 1);
  HeaderView header;
  CHECK_FALSE(cursor.next(header));
  CHECK_FALSE(cursor.is_finished());
}
