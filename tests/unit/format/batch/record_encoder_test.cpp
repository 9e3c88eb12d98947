#include "format/batch/record_encoder.hpp"

#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "format/batch/record_cursor.hpp"
#include "support/random.hpp"
#include "unit/format/examples.hpp"

using namespace seriatim;
using namespace seriatim::format;

namespace {

// With exact sizes first: the definition.
test::Bytes encoded_exactly(const RecordFields& fields) {
  const std::size_t body_bytes = body_size(fields, 0);
  test::Bytes bytes(length_size(body_bytes) + body_bytes);
  std::byte* const end = encode_before_headers(bytes.data(), body_bytes, fields);
  REQUIRE(end == bytes.data() + bytes.size());
  return bytes;
}

test::Bytes encoded_small(const RecordFields& fields) {
  test::Bytes bytes(fields.key.size() + fields.value.size() + small_record_overhead_max);
  const std::byte* const end = encode_small(bytes.data(), fields);
  REQUIRE(end <= bytes.data() + bytes.size());
  bytes.resize(static_cast<std::size_t>(end - bytes.data()));
  return bytes;
}

}  // namespace

TEST_CASE("a small record has the same bytes whichever way it is written") {
  const std::string text(5000, 'x');
  int small = 0;
  for (const std::int64_t timestamp_delta : {0, 1, -1, 63, -64, 64}) {
    for (const std::int32_t offset_delta : {0, 63, 64, 8191, 8192}) {
      for (const std::size_t key_bytes : {0U, 1U, 63U, 64U}) {
        for (const std::size_t value_bytes : {0U, 1U, 48U, 49U, 50U, 63U, 64U, 100U, 4095U, 4096U}) {
          for (const int nulls : {0, 1, 2, 3}) {
            const RecordFields fields{
                .timestamp_delta = timestamp_delta,
                .offset_delta = offset_delta,
                .key = (nulls & 1) != 0 ? BytesView() : BytesView(text.data(), key_bytes),
                .value = (nulls & 2) != 0 ? BytesView() : BytesView(text.data(), value_bytes)};
            if (!is_small(fields)) continue;
            ++small;
            REQUIRE(encoded_small(fields) == encoded_exactly(fields));
          }
        }
      }
    }
  }
  CHECK(small > 1000);
}

TEST_CASE("what one byte or two cannot say is not small") {
  const std::string text(5000, 'x');
  CHECK(is_small({.value = "v"}));
  CHECK_FALSE(is_small({.timestamp_delta = 64}));
  CHECK_FALSE(is_small({.timestamp_delta = std::numeric_limits<std::int64_t>::min()}));
  CHECK_FALSE(is_small({.offset_delta = 8192}));
  CHECK_FALSE(is_small({.key = BytesView(text.data(), 64)}));
  CHECK_FALSE(is_small({.value = BytesView(text.data(), 4096)}));
  CHECK_FALSE(is_small({.header_count = 1}));
}

// A record with random changes must be read, or refused, as the definition of the format says, whichever way
// the cursor takes.
TEST_CASE("changed bytes are read as the definition reads them") {
  test::Random random("record_encoder: changed bytes");
  const std::string text(300, 'x');
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    const RecordFields fields{
        .timestamp_delta = random.between(-70, 70),
        .offset_delta = static_cast<std::int32_t>(random.between(0, 200)),
        .key = random.one_in(2) ? BytesView() : BytesView(text.data(), 7),
        .value = BytesView(text.data(), static_cast<std::size_t>(random.between(0, 300)))};
    test::Bytes bytes = encoded_exactly(fields);
    for (auto changes = random.between(0, 2); changes > 0; --changes) {
      const auto at =
          static_cast<std::size_t>(random.between(0, std::min<std::int64_t>(12, std::ssize(bytes) - 1)));
      bytes[at] = static_cast<std::byte>(random.next());
    }
    DecodedRecord record;
    RecordCursor cursor(bytes, 1);
    if (cursor.next(record) != RecordCursor::Step::record) {
      ++refused;
      continue;
    }
    // Read back by the numbers themselves, with no short way.
    const std::byte* at = bytes.data();
    const std::byte* const end = at + bytes.size();
    std::int32_t body_bytes = 0;
    at = decode_varint(at, end, body_bytes);
    REQUIRE(at != nullptr);
    REQUIRE(body_bytes <= end - at);
    const std::byte* const body_end = at + body_bytes;
    std::int64_t timestamp_delta = 0;
    std::int32_t number = 0;
    at = decode_varlong(at + 1, body_end, timestamp_delta);
    REQUIRE(record.timestamp_delta == timestamp_delta);
    at = decode_varint(at, body_end, number);
    REQUIRE(record.offset_delta == number);
    for (const BytesView field : {record.key, record.value}) {
      at = decode_varint(at, body_end, number);
      REQUIRE(field.is_null() == (number < 0));
      REQUIRE(field.size() == static_cast<std::size_t>(std::max(number, 0)));
      if (field.is_null()) continue;
      REQUIRE(field.data() == at);
      at += number;
    }
    at = decode_varint(at, body_end, number);
    REQUIRE(record.header_count == number);
    if (number == 0) REQUIRE(at == body_end);
  }
  CHECK(refused > 1000);
}
