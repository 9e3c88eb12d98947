#include "segment/recovery/bad_batch.hpp"

#include "unit/segment/segment_fixture.hpp"

using namespace seriatim;
using format::BatchFault;
using segment::LastStop;
using test::LogBuilder;

namespace {

struct BadBatchFixture : test::SegmentFixture {
  LogBuilder log = LogBuilder().batches(5, {.size_bytes = 100, .records = 2});

  // Flips what `mask` says of one byte of the batch, and scans.
  segment::RecoveredSegment scan_with(std::size_t batch, std::size_t byte, std::byte mask, LastStop stop) {
    auto bytes = log.bytes();
    bytes[log[batch].position + byte] ^= mask;
    bytes.resize(allocated);
    test::write_file(log_path(), bytes);
    auto what = request();
    what.stop = stop;
    what.is_sealed = is_sealed;
    return scan(what);
  }
  std::size_t allocated = 4096;
  bool is_sealed = false;
};

// A batch whose checksum fits and that has a codec that does not exist.
void set_codec(LogBuilder& log, std::vector<std::byte>& bytes, std::size_t batch) {
  auto* const at = bytes.data() + log[batch].position;
  auto header = log[batch].header;
  header.attributes = 7;
  header.crc = format::write_sealed_header({at, log[batch].bytes.size()}, header);
}

}  // namespace

TEST_CASE("INV-12: after the death of the process, damage with sound batches behind it is kept") {
  for (const std::size_t byte : {format::base_offset_at, format::length_at, format::magic_at, format::crc_at,
                                 format::records_at, std::size_t{99}}) {
    CAPTURE(byte);
    BadBatchFixture f;
    const auto found = f.scan_with(1, byte, std::byte{0x11}, LastStop::kill);
    CHECK(found.contained_fault != BatchFault::none);
    CHECK(found.contained_fault_position == f.log[1].position);
    CHECK(found.fault == BatchFault::end_of_log);
    CHECK(found.state.end_position == f.log.size_bytes());
    CHECK(found.state.end_offset == f.log.next_offset());
    CHECK_FALSE(found.has_gaps);
  }
}

TEST_CASE("INV-3: a base offset that was flipped below the durable position moves no end") {
  for (const int batches : {1, 5}) {
    for (const LastStop stop : {LastStop::clean, LastStop::kill, LastStop::power_cut}) {
      for (std::size_t bit = 0; bit < 64; ++bit) {
        CAPTURE(batches);
        CAPTURE(bit);
        BadBatchFixture f;
        f.log = LogBuilder().batches(batches, {.size_bytes = 100, .records = 2});
        const auto last = static_cast<std::size_t>(batches) - 1;
        auto bytes = f.log.bytes();
        bytes[f.log[last].position + bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        test::write_file(f.log_path(), bytes);
        auto request = f.request();
        request.stop = stop;
        request.may_have_gaps = false;
        request.durable_position = f.log.size_bytes();
        request.durable_offset = f.log.next_offset();
        const auto found = f.scan(request);
        CHECK(found.contained_fault_position == f.log[last].position);
        CHECK(found.contained_fault != BatchFault::none);
        CHECK(found.state.end_position == f.log.size_bytes());
        CHECK(found.state.end_offset == f.log.next_offset());
        CHECK_FALSE(found.has_gaps);
      }
    }
  }
}

TEST_CASE("after the death of the process, a bad batch with nothing behind it is what was being written") {
  BadBatchFixture f;
  const auto found = f.scan_with(4, format::records_at, std::byte{1}, LastStop::kill);
  CHECK(found.contained_fault == BatchFault::none);
  CHECK(found.fault == BatchFault::bad_crc);
  CHECK(found.state.end_position == f.log[4].position);
}

TEST_CASE("of a segment that another follows the end is damage too, unless a power cut may have taken it") {
  for (const LastStop stop : {LastStop::kill, LastStop::power_cut}) {
    BadBatchFixture f;
    f.is_sealed = true;
    f.allocated = static_cast<std::size_t>(f.log.size_bytes());
    const auto found = f.scan_with(4, format::records_at, std::byte{1}, stop);
    const bool is_kept = stop == LastStop::kill;
    CHECK((found.contained_fault != BatchFault::none) == is_kept);
    CHECK(found.state.end_position == (is_kept ? f.log.size_bytes() : f.log[4].position));
  }
}

TEST_CASE("after a power cut the log ends at the first hole, sound batches behind it or not") {
  BadBatchFixture f;
  const auto found = f.scan_with(1, format::records_at, std::byte{1}, LastStop::power_cut);
  CHECK(found.contained_fault == BatchFault::none);
  CHECK(found.state.end_position == f.log[1].position);
}

TEST_CASE("INV-12: a whole batch that is not accepted is kept after any stop, at the end too") {
  for (const LastStop stop : {LastStop::power_cut, LastStop::kill, LastStop::clean}) {
    for (const std::size_t batch : {1U, 4U}) {
      BadBatchFixture f;
      auto bytes = f.log.bytes();
      set_codec(f.log, bytes, batch);
      test::write_file(f.log_path(), bytes);
      auto what = f.request();
      what.stop = stop;
      const auto found = f.scan(what);
      CHECK(found.contained_fault == BatchFault::bad_attributes);
      CHECK(found.contained_fault_position == f.log[batch].position);
      CHECK(found.state.end_position == f.log.size_bytes());
      CHECK(found.state.end_offset == f.log.next_offset());
    }
  }
}

TEST_CASE("a base offset of which a power cut may have taken bytes ends the log then, and only then") {
  for (const LastStop stop : {LastStop::power_cut, LastStop::kill}) {
    BadBatchFixture f;
    // The base offset 2 becomes 0, as where its sector is missing.
    const auto found = f.scan_with(1, format::base_offset_at + 7, std::byte{2}, stop);
    const bool is_kept = stop == LastStop::kill;
    CHECK((found.contained_fault == BatchFault::wrong_offset) == is_kept);
    CHECK(found.state.end_position == (is_kept ? f.log.size_bytes() : f.log[1].position));
  }
}

TEST_CASE("a flipped base offset is told from a gap by the batch behind it") {
  BadBatchFixture f;
  for (const std::byte mask : {std::byte{0x10}, std::byte{0x01}}) {
    const auto found = f.scan_with(1, format::base_offset_at + 7, mask, LastStop::kill);
    CHECK(found.contained_fault == BatchFault::wrong_offset);
    CHECK_FALSE(found.has_gaps);
    CHECK(found.state.end_offset == f.log.next_offset());
  }
}

TEST_CASE("zeros end the log; sound batches close behind them show that they are damage after a kill") {
  for (const LastStop stop : {LastStop::power_cut, LastStop::kill, LastStop::clean}) {
    BadBatchFixture f;
    auto bytes = f.log.bytes();
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(f.log[1].position), 100, std::byte{0});
    test::write_file(f.log_path(), bytes);
    auto what = f.request();
    what.stop = stop;
    const auto found = f.scan(what);
    const bool is_kept = stop != LastStop::power_cut;
    CHECK((found.contained_fault == BatchFault::end_of_log) == is_kept);
    CHECK(found.state.end_position == (is_kept ? f.log.size_bytes() : f.log[1].position));
  }
}

TEST_CASE("offsets are possible below the segment behind, the durable offset and the span of an index") {
  const segment::RecoveryRequest request{
      .base_offset = 100, .durable_position = 1'000, .durable_offset = 150, .offsets_end = 200};
  const auto is_possible = [&](std::uint64_t position, Offset base, std::int32_t delta) {
    format::BatchHeader header;
    header.base_offset = base;
    header.last_offset_delta = delta;
    return segment::offsets_are_possible(request, position, header);
  };
  CHECK(is_possible(0, 149, 0));
  CHECK_FALSE(is_possible(0, 149, 1));
  CHECK(is_possible(1'000, 150, 49));
  CHECK_FALSE(is_possible(1'000, 150, 50));
  const segment::RecoveryRequest open{.base_offset = 100};
  format::BatchHeader header;
  header.base_offset = 100 + std::int64_t{std::numeric_limits<std::int32_t>::max()};
  CHECK(segment::offsets_are_possible(open, 0, header));
  ++header.base_offset;
  CHECK_FALSE(segment::offsets_are_possible(open, 0, header));
}

TEST_CASE("a count that was flipped in a durable batch takes no offsets of the segment behind it") {
  test::SegmentFixture f;
  const auto log = LogBuilder().batches(3, {.size_bytes = 100});
  auto bytes = log.bytes();
  bytes[log[2].position + format::last_offset_delta_at + 1] ^= std::byte{0x10};
  test::write_file(f.log_path(), bytes);
  auto what = f.request();
  what.durable_position = bytes.size();
  what.is_sealed = what.may_have_gaps = true;
  what.offsets_end = 3;
  const auto found = f.scan(what);
  CHECK(found.contained_fault != BatchFault::none);
  CHECK(found.state.end_offset <= 3);
}
