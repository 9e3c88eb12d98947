#include "format/batch_header.hpp"

#include <array>
#include <limits>

#include <doctest/doctest.h>

#include "format/batch/batch_check.hpp"
#include "support/append_time.hpp"
#include "unit/format/examples.hpp"

using namespace seriatim;
using namespace seriatim::format;
using seriatim::test::T;

TEST_CASE("every header field of a worked example is read from its place") {
  const BatchHeader b = read_batch_header(test::example_b().data());
  CHECK(b.base_offset == 100);
  CHECK(b.length == 95);
  CHECK(b.size_bytes() == 107);
  CHECK(b.leader_epoch == 0);
  CHECK(b.magic == 2);
  CHECK(b.crc == 0xd26c5dc7U);
  CHECK(b.attributes == 0);
  CHECK(b.last_offset_delta == 2);
  CHECK(b.last_offset() == 102);
  CHECK(b.next_offset() == 103);
  CHECK(b.base_timestamp_ms == T);
  CHECK(b.max_timestamp_ms == T + 5);
  CHECK(b.producer_id == test::example_producer_id);
  CHECK(b.producer_epoch == 0);
  CHECK(b.base_sequence == 7);
  CHECK(b.last_sequence() == 9);
  CHECK(b.record_count == 3);
  CHECK(b.codec() == Codec::none);
  CHECK(b.has_producer());
  CHECK_FALSE(b.is_control());
  CHECK_FALSE(b.is_transactional());
  CHECK_FALSE(b.uses_log_append_time());
  CHECK_FALSE(b.has_delete_horizon());
}

TEST_CASE("attribute bits have Kafka's meanings") {
  const BatchHeader d = read_batch_header(test::example_d().data());
  CHECK(d.is_control());
  CHECK(d.is_transactional());
  CHECK(d.base_sequence == no_sequence);
  CHECK(d.last_sequence() == no_sequence);
  CHECK(read_batch_header(test::example_f().data()).uses_log_append_time());
  CHECK(read_batch_header(test::example_l().data()).has_delete_horizon());
  CHECK(read_batch_header(test::example_g_gzip().data()).codec() == Codec::gzip);
  CHECK(read_batch_header(test::example_i_snappy().data()).codec() == Codec::snappy);
  CHECK(read_batch_header(test::example_h_lz4().data()).codec() == Codec::lz4);
  CHECK(read_batch_header(test::example_j_zstd().data()).codec() == Codec::zstd);
}

TEST_CASE("a header is written as it was read") {
  for (const test::Bytes& batch :
       {test::example_a(), test::example_b(), test::example_d(), test::example_k()}) {
    std::array<std::byte, header_bytes> written{};
    write_batch_header(written.data(), read_batch_header(batch.data()));
    CHECK(test::to_hex(written) == test::to_hex(std::span(batch).first(header_bytes)));
  }
}

TEST_CASE("a record's timestamp is base plus delta, or the batch's under log append time") {
  const BatchHeader b = read_batch_header(test::example_b().data());
  CHECK(b.record_timestamp_ms(-3) == T - 3);
  const BatchHeader f = read_batch_header(test::example_f().data());
  CHECK(f.record_timestamp_ms(0) == T + 123'456);
  CHECK(f.record_timestamp_ms(-99) == T + 123'456);
  const BatchHeader l = read_batch_header(test::example_l().data());
  CHECK(l.record_timestamp_ms(-86'400'003) == T - 3);
}

TEST_CASE("a hostile timestamp delta wraps instead of being undefined") {
  BatchHeader header;
  header.base_timestamp_ms = std::numeric_limits<std::int64_t>::max();
  CHECK(header.record_timestamp_ms(1) == std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("sequences wrap from the largest to 0") {
  constexpr Sequence largest = std::numeric_limits<Sequence>::max();
  CHECK(advance_sequence(7, 2) == 9);
  CHECK(advance_sequence(largest, 1) == 0);
  CHECK(advance_sequence(largest - 1, 3) == 1);
  CHECK(advance_sequence(largest, largest) == largest - 1);
}

TEST_CASE("stamping the base offset leaves the CRC right") {
  test::Bytes batch = test::example_a();
  stamp_base_offset(batch.data(), 4'711);
  CHECK(read_batch_header(batch.data()).base_offset == 4'711);
  CHECK(crc_is_valid(batch));
}

TEST_CASE("stamping log append time makes of example A example F") {
  test::Bytes batch = test::example_a();
  test::stamp_log_append_time(batch, T + 123'456);
  CHECK(test::to_hex(batch) == test::to_hex(test::example_f()));
}

TEST_CASE("codecs have Kafka's names") {
  CHECK(name(Codec::none) == "none");
  CHECK(name(Codec::gzip) == "gzip");
  CHECK(name(Codec::snappy) == "snappy");
  CHECK(name(Codec::lz4) == "lz4");
  CHECK(name(Codec::zstd) == "zstd");
  CHECK(name(static_cast<Codec>(5)) == "unknown");
}
