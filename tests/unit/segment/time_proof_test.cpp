#include "segment/time_proof.hpp"

#include <algorithm>

#include "segment/segment_tail.hpp"
#include "support/random.hpp"
#include "unit/segment/segment_fixture.hpp"

using namespace seriatim;
using test::LogBuilder;

namespace {

constexpr std::size_t interval_bytes = 500;

// A sealed segment of batches of one record whose timestamps, small numbers, come in any order and repeat.
struct Timed {
  explicit Timed(test::Random& random) {
    f.limits.index_interval_bytes = interval_bytes;
    for (int i = 0; i < 40; ++i) {
      if (random.one_in(4)) log.gap(random.between(1, 3));
      log.batch({.size_bytes = 120, .timestamp_ms = 1 + i / 2 + random.between(0, 8)});
    }
    const auto writer = f.create();
    test::append(*writer, log);
    test::must(writer->seal());
    index = test::read_file(f.time_index_path());
  }

  /// As another process sees it.
  segment::SegmentPtr open() {
    f.files.forget(f.log_path());
    const auto tail =
        test::must(segment::SegmentTail::open(f.context, f.directory, 0, segment::OffsetGaps::allowed));
    return segment::Segment::sealed(f.context, f.maps, f.directory, tail.state());
  }
  std::int64_t largest_below(Offset offset) const {
    std::int64_t largest = -1;
    for (const auto& batch : log.all()) {
      if (batch.header.last_offset() < offset) largest = std::max(largest, batch.header.max_timestamp_ms);
    }
    return largest;
  }
  /// Whether anything that the segment says would hide a batch. One whose index is out of order says nothing.
  void check(bool is_sound) {
    const auto segment = open();
    const auto pin = segment->pin();
    if (!pin) {
      CHECK(pin.error().code() == Errc::corrupt_metadata);
      CHECK_FALSE(is_sound);
      return;
    }
    const std::int64_t largest = largest_below(log.next_offset());
    CHECK(test::must(segment::proven_max_timestamp_ms(*segment)) >= largest);
    for (std::int64_t time_ms = 0; time_ms <= largest + 1; ++time_ms) {
      CAPTURE(time_ms);
      const Offset start = segment::search_start(*segment, **pin, time_ms);
      CHECK(largest_below(start) < time_ms);
      const auto below = (*pin)->time_index.count_below(time_ms);
      if (is_sound && below > 0) CHECK(start == (*pin)->time_index.at(below - 1).offset);
    }
  }

  test::SegmentFixture f;
  LogBuilder log;
  std::vector<std::byte> index{};
};

}  // namespace

TEST_CASE("with any bit of a time index flipped, no batch is hidden by it") {
  test::Random random("flipped time index");
  Timed timed(random);
  timed.check(true);
  REQUIRE(timed.index.size() >= 3 * format::time_index_entry_bytes);
  for (std::size_t bit = 0; bit < timed.index.size() * 8; ++bit) {
    CAPTURE(bit);
    auto damaged = timed.index;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    test::write_file(timed.f.time_index_path(), damaged);
    timed.check(false);
  }
}

TEST_CASE("no batch is hidden by a time index that was cut or overwritten") {
  test::Random random("cut time index");
  Timed timed(random);
  for (std::size_t bytes = 0; bytes < timed.index.size(); ++bytes) {
    CAPTURE(bytes);
    test::write_file(timed.f.time_index_path(), base::ByteSpan(timed.index).first(bytes));
    timed.check(false);
    auto damaged = timed.index;
    for (std::size_t i = bytes; i < std::min(bytes + 10, damaged.size()); ++i)
      damaged[i] = random.bytes(1)[0];
    test::write_file(timed.f.time_index_path(), damaged);
    timed.check(false);
  }
}

TEST_CASE("a largest timestamp is that of the log, and of what is appended behind it") {
  test::SegmentFixture f;
  LogBuilder log;
  log.batch({.timestamp_ms = 500}).batch({.timestamp_ms = 90});
  {
    const auto writer = f.create();
    const auto active = writer->segment();
    CHECK(test::must(segment::proven_max_timestamp_ms(*active)) == -1);
    test::append(*writer, log);
    CHECK(test::must(segment::proven_max_timestamp_ms(*active)) == 500);
    test::must(writer->trim());
  }
  // As if the index had lost its last entry, and recovery had believed it.
  auto state = f.scan(f.request()).state;
  state.max_timestamp = {90, 1};
  state.time_index_entries = 0;
  const auto writer =
      test::must(segment::SegmentWriter::open(f.context, f.maps, f.directory, state, f.limits));
  const auto again = writer->segment();
  CHECK(again->max_timestamp_ms() == 90);
  CHECK(test::must(segment::proven_max_timestamp_ms(*again)) == 500);
  test::must(test::try_append(*writer, log.batch({.timestamp_ms = 700}).back()));
  CHECK(test::must(segment::proven_max_timestamp_ms(*again)) == 700);
}

TEST_CASE("of damage behind the last entry a segment is believed, and what can be read counts") {
  test::SegmentFixture f;
  LogBuilder log;
  log.batch({.timestamp_ms = 500}).batch({.timestamp_ms = 90}).batch({.timestamp_ms = 600});
  const auto writer = f.create();
  test::append(*writer, log);
  test::must(writer->seal());
  auto bytes = test::read_file(f.log_path());
  bytes[log[1].position + format::magic_at] = std::byte{9};
  test::write_file(f.log_path(), bytes);
  auto state = f.scan(f.request()).state;
  for (const std::int64_t said : {std::int64_t{-1}, std::int64_t{650}}) {
    state.max_timestamp.timestamp_ms = said;
    const auto segment = segment::Segment::sealed(f.context, f.maps, f.directory, state);
    CHECK(test::must(segment::proven_max_timestamp_ms(*segment)) == std::max<std::int64_t>(said, 600));
  }
}
