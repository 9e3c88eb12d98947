#include "format/batch/batch_check.hpp"

#include <functional>
#include <limits>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "format/batch_header.hpp"
#include "unit/format/examples.hpp"

using namespace seriatim;
using namespace seriatim::format;

namespace {

// Example B with its header changed and, unless the change is about that, a CRC that fits again.
test::Bytes changed_b(const std::function<void(BatchHeader&)>& change) {
  test::Bytes batch = test::example_b();
  BatchHeader header = read_batch_header(batch.data());
  change(header);
  write_batch_header(batch.data(), header);
  seal_batch(batch);
  return batch;
}

BatchFault fault_of(const std::function<void(BatchHeader&)>& change) {
  return check_batch(changed_b(change), 100);
}

}  // namespace

TEST_CASE("every worked example is a valid batch") {
  for (const test::Bytes& batch :
       {test::example_a(), test::example_b(), test::example_c(), test::example_d(), test::example_e(),
        test::example_f(), test::example_g_gzip(), test::example_h_lz4(), test::example_i_snappy(),
        test::example_j_zstd(), test::example_k(), test::example_l()}) {
    CAPTURE(test::to_hex(batch));
    CHECK(check_batch(batch, 0) == BatchFault::none);
    CHECK(read_batch_header(batch.data()).size_bytes() == batch.size());
  }
}

TEST_CASE("a batch may be followed by anything") {
  test::Bytes bytes = test::example_b();
  const std::size_t size = bytes.size();
  bytes.resize(size + 4096, std::byte{0xEE});
  CHECK(check_batch(bytes, 100) == BatchFault::none);
}

TEST_CASE("every bit that the CRC covers is guarded by it") {
  const test::Bytes good = test::example_b();
  for (std::size_t at = crc_at; at < good.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      test::Bytes bad = good;
      bad[at] ^= static_cast<std::byte>(1U << bit);
      CAPTURE(at);
      CAPTURE(bit);
      CHECK_FALSE(crc_is_valid(bad));
      CHECK(check_batch(bad, 100) != BatchFault::none);
    }
  }
}

TEST_CASE("every bit outside the CRC is guarded by the rules, but for a higher offset and the leader epoch") {
  const test::Bytes good = test::example_b();
  for (std::size_t at = 0; at < crc_at; ++at) {
    if (at >= leader_epoch_at && at < magic_at) continue;
    for (unsigned bit = 0; bit < 8; ++bit) {
      test::Bytes bad = good;
      bad[at] ^= static_cast<std::byte>(1U << bit);
      CAPTURE(at);
      CAPTURE(bit);
      const bool moved_up = read_batch_header(bad.data()).base_offset > 100;
      CHECK((check_batch(bad, 100) == BatchFault::none) == moved_up);
    }
  }
}

TEST_CASE("a batch that is cut anywhere is truncated, never valid and never the end of the log") {
  const test::Bytes good = test::example_b();
  for (std::size_t size = 8; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK(check_batch(base::ByteSpan(good).first(size), 100) == BatchFault::truncated);
  }
}

TEST_CASE("nothing and zeros are the end of the log") {
  CHECK(check_batch({}, 0) == BatchFault::end_of_log);
  const test::Bytes zeros(4096);
  for (const std::size_t size : {1U, 17U, 60U, 61U, 62U, 4096U}) {
    CHECK(check_batch(base::ByteSpan(zeros).first(size), 0) == BatchFault::end_of_log);
  }
}

TEST_CASE("a zero length with other bytes around it is damage, not the end of the log") {
  test::Bytes batch = test::example_b();
  base::store_be(batch.data() + length_at, std::int32_t{0});
  CHECK(check_batch(batch, 100) == BatchFault::bad_length);
}

TEST_CASE("each rule of the header is held, with a CRC that fits") {
  CHECK(fault_of([](BatchHeader&) {}) == BatchFault::none);
  CHECK(fault_of([](BatchHeader& h) { h.length = 48; }) == BatchFault::bad_length);
  CHECK(fault_of([](BatchHeader& h) { h.length = -1; }) == BatchFault::bad_length);
  CHECK(fault_of([](BatchHeader& h) { h.length = std::numeric_limits<std::int32_t>::max(); }) ==
        BatchFault::truncated);
  CHECK(fault_of([](BatchHeader& h) { h.length += 1; }) == BatchFault::truncated);
  CHECK(fault_of([](BatchHeader& h) { h.magic = 1; }) == BatchFault::bad_magic);
  CHECK(fault_of([](BatchHeader& h) { h.magic = 3; }) == BatchFault::bad_magic);
  for (std::int16_t codec = 5; codec <= 7; ++codec) {
    CHECK(fault_of([codec](BatchHeader& h) { h.attributes = codec; }) == BatchFault::bad_attributes);
  }
  CHECK(fault_of([](BatchHeader& h) { h.base_offset = 99; }) == BatchFault::wrong_offset);
  CHECK(fault_of([](BatchHeader& h) { h.base_offset = std::numeric_limits<Offset>::max() - 2; }) ==
        BatchFault::wrong_offset);
  CHECK(fault_of([](BatchHeader& h) { h.last_offset_delta = -1; }) == BatchFault::bad_count);
  CHECK(fault_of([](BatchHeader& h) { h.last_offset_delta = 1; }) == BatchFault::bad_count);
  CHECK(fault_of([](BatchHeader& h) { h.record_count = -1; }) == BatchFault::bad_count);
  CHECK(fault_of([](BatchHeader& h) { h.record_count = 4; }) == BatchFault::bad_count);
  CHECK(fault_of([](BatchHeader& h) { h.leader_epoch = -2; }) == BatchFault::bad_leader_epoch);
  CHECK(fault_of([](BatchHeader& h) { h.producer_id = -2; }) == BatchFault::bad_producer);
  CHECK(fault_of([](BatchHeader& h) { h.producer_epoch = -1; }) == BatchFault::bad_producer);
  CHECK(fault_of([](BatchHeader& h) { h.base_sequence = -1; }) == BatchFault::bad_producer);
  CHECK(fault_of([](BatchHeader& h) {
          h.producer_id = -1;
          h.producer_epoch = -1;
          h.base_sequence = -1;
          h.attributes = transactional_bit;
        }) == BatchFault::bad_producer);
}

TEST_CASE("an offset below 0 is wrong whatever the caller allows") {
  test::Bytes batch = test::example_a();
  stamp_base_offset(batch.data(), -1);
  CHECK(check_structure(batch, std::numeric_limits<Offset>::min()) == BatchFault::wrong_offset);
}

TEST_CASE("what Kafka's readers allow is allowed") {
  CHECK(fault_of([](BatchHeader& h) { h.leader_epoch = -1; }) == BatchFault::none);
  CHECK(fault_of([](BatchHeader& h) { h.attributes = 0x7F80; }) == BatchFault::none);    // unused bits
  CHECK(fault_of([](BatchHeader& h) { h.last_offset_delta = 9; }) == BatchFault::none);  // compacted
  CHECK(check_batch(test::example_b(), 50) == BatchFault::none);                         // a gap below it
}

TEST_CASE(
    "without a producer id, epoch and sequence mean nothing: several of Kafka's clients leave 0 there") {
  for (const int epoch : {-1, 0, 7}) {
    for (const Sequence sequence : {-1, 0, 7}) {
      CHECK(fault_of([&](BatchHeader& h) {
              h.producer_id = no_producer_id;
              h.producer_epoch = static_cast<ProducerEpoch>(epoch);
              h.base_sequence = sequence;
            }) == BatchFault::none);
    }
  }
}

TEST_CASE("the CRC says nothing about the records: a wrong count passes here") {
  CHECK(fault_of([](BatchHeader& h) { h.record_count = 2; }) == BatchFault::none);
}

TEST_CASE("fewer bytes than a header have no valid CRC") {
  const test::Bytes short_bytes(60);
  CHECK_FALSE(crc_is_valid(short_bytes));
}

TEST_CASE("every fault has a description of its own") {
  std::set<std::string_view> seen;
  for (int fault = 0; fault <= static_cast<int>(BatchFault::bad_crc); ++fault) {
    seen.insert(describe(static_cast<BatchFault>(fault)));
  }
  CHECK(seen.size() == static_cast<std::size_t>(BatchFault::bad_crc) + 1);
  CHECK(seen.count("unknown fault") == 0);
}
