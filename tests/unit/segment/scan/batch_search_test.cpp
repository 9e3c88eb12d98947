#include "segment/scan/batch_search.hpp"

#include <doctest/doctest.h>

#include "support/log_builder.hpp"
#include "support/must.hpp"
#include "support/random.hpp"
#include "unit/segment/segment_fixture.hpp"

using namespace seriatim;
using segment::SearchRange;
using test::LogBuilder;
using test::must;

namespace {

using Bytes = std::vector<std::byte>;

// The position of what is found behind the batch at `fault`, in memory and in a file; -1: nothing.
std::int64_t found_behind(const Bytes& log, std::uint64_t fault, Offset lowest,
                          Offset offsets_end = std::numeric_limits<Offset>::max()) {
  const SearchRange range{
      .fault_position = fault, .end = log.size(), .lowest_base = lowest, .offsets_end = offsets_end};
  segment::MappedLogBytes mapped(log);
  const auto in_memory = must(segment::find_sound_batch(mapped, range));
  test::SegmentFixture f;
  test::write_file(f.log_path(), log);
  const auto file = must(os::posix_vfs().open(f.log_path(), os::OpenMode::read));
  segment::FileLogBytes in_file(*file);
  const auto read = must(segment::find_sound_batch(in_file, range));
  REQUIRE(read.has_value() == in_memory.has_value());
  if (!read) return -1;
  CHECK(read->position == in_memory->position);
  CHECK(read->header == in_memory->header);
  return static_cast<std::int64_t>(read->position);
}

std::int64_t at(const LogBuilder& log, std::size_t index) {
  return static_cast<std::int64_t>(log[index].position);
}

}  // namespace

TEST_CASE("damage ends with the next sound batch, whichever byte of a batch is flipped") {
  const LogBuilder log = LogBuilder(100).batches(4, {.size_bytes = 120});
  for (std::uint64_t byte = log[1].position; byte < log[1].end(); ++byte) {
    for (const unsigned bit : {0U, 4U, 7U}) {
      CAPTURE(byte - log[1].position);
      CAPTURE(bit);
      Bytes bytes = log.bytes();
      bytes[byte] ^= static_cast<std::byte>(1U << bit);
      REQUIRE(found_behind(bytes, log[1].position, log[1].header.base_offset) == at(log, 2));
    }
  }
}

TEST_CASE("several bad batches in a row are passed over, with right lengths and without") {
  const LogBuilder log = LogBuilder().batches(12, {.size_bytes = 120});
  for (const std::uint64_t byte : {std::uint64_t{format::records_at}, std::uint64_t{format::length_at}}) {
    Bytes bytes = log.bytes();
    for (const std::size_t bad : {2U, 3U, 4U}) bytes[log[bad].position + byte] ^= std::byte{0x41};
    CHECK(found_behind(bytes, log[2].position, 2) == at(log, 5));
  }
}

TEST_CASE("the sound batch between two damaged ones is found where the length of the first is right") {
  const LogBuilder log = LogBuilder().batches(6, {.size_bytes = 120});
  Bytes bytes = log.bytes();
  bytes[log[1].position + format::records_at] ^= std::byte{1};
  bytes[log[3].position + format::records_at] ^= std::byte{1};
  CHECK(found_behind(bytes, log[1].position, 1) == at(log, 2));
  CHECK(found_behind(bytes, log[3].position, 3) == at(log, 4));
}

TEST_CASE("nothing sound behind a batch is nothing: the end, zeros, and what ends beyond the segment") {
  const LogBuilder log = LogBuilder().batches(3, {.size_bytes = 120});
  CHECK(found_behind(log.bytes(), log[2].position, 2) == -1);
  Bytes allocated = log.bytes();
  allocated.resize(1 << 16);
  CHECK(found_behind(allocated, log[2].position, 2) == -1);
  CHECK(found_behind(allocated, log.size_bytes(), 3) == -1);
  CHECK(found_behind(log.bytes(), log[1].position, 1, 2) == -1);
  CHECK(found_behind(log.bytes(), log[1].position, 1, 3) == at(log, 2));
  // The batch behind has lower offsets: a batch of another life of the file.
  CHECK(found_behind(log.bytes(), log[1].position, 9) == -1);
}

TEST_CASE("a batch in the value of a record is not taken for one of the log") {
  const LogBuilder inner = LogBuilder(7).batches(3, {.size_bytes = 100});
  const Bytes carried = inner.bytes();
  const std::string value(reinterpret_cast<const char*>(carried.data()), carried.size());
  const LogBuilder log = LogBuilder().batch().batch({.value = value}).batches(3);
  for (const std::uint64_t byte : {std::uint64_t{format::records_at}, std::uint64_t{format::length_at + 3}}) {
    CAPTURE(byte);
    Bytes bytes = log.bytes();
    bytes[log[1].position + byte] ^= std::byte{1};
    CHECK(found_behind(bytes, log[1].position, 1) == at(log, 2));
    // The same batch torn, and nothing behind it.
    bytes.resize(static_cast<std::size_t>(log[1].end() - 4));
    CHECK(found_behind(bytes, log[1].position, 1) == -1);
  }
}

TEST_CASE("bytes made to look like headers do not make the search quadratic") {
  const LogBuilder log = LogBuilder().batch({.size_bytes = 1 << 16}).batch();
  Bytes bytes = log.bytes();
  auto header = log[0].header;
  for (std::size_t position = 1; position + 200 < bytes.size(); position += format::header_bytes) {
    header.base_offset = 1;
    header.length = static_cast<std::int32_t>(bytes.size() - position - format::log_overhead);
    format::write_batch_header(bytes.data() + position, header);
  }
  bytes[format::length_at] = std::byte{0x7F};
  class Counting final : public segment::LogBytes {
   public:
    explicit Counting(base::ByteSpan log) : log_(log) {}
    Result<base::ByteSpan> at(std::uint64_t position, std::uint64_t count) override {
      if (count > format::header_bytes) ++reads;
      return log_.at(position, count);
    }
    int reads = 0;

   private:
    segment::MappedLogBytes log_;
  } counting(bytes);
  const auto found =
      must(segment::find_sound_batch(counting, {.fault_position = 0, .end = bytes.size(), .lowest_base = 0}));
  CHECK_FALSE(found);
  CHECK(counting.reads < 100);
}

TEST_CASE("a whole batch is one whose length and checksum are right, whatever else its header says") {
  const LogBuilder log = LogBuilder().batches(2, {.size_bytes = 120});
  const auto is_whole = [&](std::size_t byte) {
    Bytes bytes = log.bytes();
    bytes[log[1].position + byte] ^= std::byte{0x80};
    segment::MappedLogBytes mapped(bytes);
    return must(segment::is_whole_batch(mapped, log[1].position, bytes.size()));
  };
  CHECK(is_whole(format::base_offset_at));
  CHECK(is_whole(format::magic_at));
  CHECK_FALSE(is_whole(format::length_at));
  CHECK_FALSE(is_whole(format::crc_at));
  CHECK_FALSE(is_whole(format::records_at));
}
