#include "format/batch/control_record.hpp"

#include <array>

#include <doctest/doctest.h>

#include "format/batch/batch_check.hpp"
#include "unit/format/examples.hpp"

using namespace seriatim;
using namespace seriatim::format;
using seriatim::test::T;

namespace {

test::Bytes framed(const EndMarker& marker) {
  test::Bytes batch(marker_batch_bytes);
  FramedBatch made;
  frame_marker(marker, batch, made);
  CHECK(made.header == read_batch_header(batch.data()));
  REQUIRE(made.mark);
  CHECK(*made.mark == read_control_mark(made.bytes));
  stamp_base_offset(batch.data(), 104);
  return batch;
}

constexpr EndMarker example_marker{.type = ControlType::commit,
                                   .producer_id = test::example_producer_id,
                                   .producer_epoch = 1,
                                   .timestamp_ms = T + 11};

std::optional<ControlRecord> parse(std::string_view key, std::string_view value) {
  const test::Bytes k = test::from_hex(key);
  const test::Bytes v = test::from_hex(value);
  return parse_control_record(BytesView(k.data(), k.size()), BytesView(v.data(), v.size()));
}

}  // namespace

TEST_CASE("markers are framed as in examples D and E") {
  CHECK(test::to_hex(framed(example_marker)) == test::to_hex(test::example_d()));
  EndMarker abort = example_marker;
  abort.type = ControlType::abort;
  CHECK(test::to_hex(framed(abort)) == test::to_hex(test::example_e()));
}

TEST_CASE("markers are read back") {
  CHECK(read_control_batch(test::example_d()) == ControlBatch::commit);
  CHECK(read_control_batch(test::example_e()) == ControlBatch::abort);
  EndMarker marker = example_marker;
  marker.coordinator_epoch = 17;
  CHECK(read_control_mark(framed(marker)) == ControlMark{ControlBatch::commit, 17});
}

TEST_CASE("control types that are none of ours are skipped, not refused") {
  for (const char* type : {"00 00 00 02", "00 00 00 06", "00 00 00 63", "00 00 ff ff"}) {
    const auto record = parse(type, "");
    REQUIRE(record.has_value());
    CHECK_FALSE(record->ends_transaction());
  }
  test::Bytes batch = test::example_d();
  batch[0x44] = std::byte{2};  // the type's low byte
  seal_batch(batch);
  CHECK(read_control_batch(batch) == ControlBatch::other);
}

TEST_CASE("a control record of a higher version is read as version 0, of a negative one refused") {
  const auto later = parse("00 01 00 01 99", "00 05 00 00 00 07 99 99");
  REQUIRE(later.has_value());
  CHECK(later->is_commit());
  CHECK(later->coordinator_epoch == 7);
  CHECK_FALSE(parse("ff ff 00 01", "00 00 00 00 00 00").has_value());
  CHECK_FALSE(parse("00 00 00 01", "ff ff 00 00 00 00").has_value());
}

TEST_CASE("a control record that is too short is malformed") {
  CHECK_FALSE(parse("", "").has_value());
  CHECK_FALSE(parse("00 00 00", "00 00 00 00 00 00").has_value());
  CHECK_FALSE(parse("00 00 00 01", "00 00 00 00 00").has_value());
  CHECK_FALSE(parse_control_record({}, {}).has_value());
}

TEST_CASE("an emptied marker changes nothing; a batch that is no marker is malformed") {
  test::Bytes emptied = test::example_k();
  BatchHeader header = read_batch_header(emptied.data());
  header.attributes = transactional_bit | control_bit;
  write_batch_header(emptied.data(), header);
  CHECK(read_control_batch(emptied) == ControlBatch::emptied);

  CHECK(read_control_batch(test::example_a()) == ControlBatch::malformed);
  test::Bytes two = test::example_d();
  header = read_batch_header(two.data());
  header.record_count = 2;
  header.last_offset_delta = 1;
  write_batch_header(two.data(), header);
  CHECK(read_control_batch(two) == ControlBatch::malformed);
  test::Bytes compressed = test::example_d();
  header = read_batch_header(compressed.data());
  header.attributes = static_cast<std::int16_t>(header.attributes | 3);
  write_batch_header(compressed.data(), header);
  CHECK(read_control_batch(compressed) == ControlBatch::malformed);
}
