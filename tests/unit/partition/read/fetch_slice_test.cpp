#include "partition/read/fetch_slice.hpp"

#include "partition/read/fetch_cursor.hpp"
#include "support/random.hpp"
#include "unit/partition/read/reader_fixture.hpp"

namespace seriatim::test {
namespace {

using partition::fetch_slice;
using partition::FetchSlice;

std::string mapped_bytes(const FetchSlice& slice) {
  return std::string(base::as_text({slice.pin->log.data() + slice.position, slice.size_bytes}));
}

std::string file_bytes(const FetchSlice& slice) {
  std::vector<std::byte> bytes(slice.size_bytes);
  CHECK(must(slice.file->read_at(bytes, slice.position)) == bytes.size());
  return std::string(base::as_text(bytes));
}

TEST_CASE("a slice holds whole batches from the one with the offset on, as many as fit") {
  ReaderFixture fixture(1'000'000);
  std::vector<std::size_t> ends;  // position behind each batch
  Random random("fetch_slice");
  std::vector<Offset> bases;
  for (int i = 0; i < 200; ++i) {
    const auto appended =
        fixture.append({.records = static_cast<int>(random.between(1, 4)),
                        .value = random.text(static_cast<std::size_t>(random.between(1, 300)))});
    bases.push_back(appended.base_offset);
    ends.push_back(fixture.segment_of(0)->end_position());
  }
  for (int round = 0; round < 500; ++round) {
    const Offset from = random.between(0, fixture.partition->log_end_offset() - 1);
    const auto bytes_max = static_cast<std::size_t>(random.between(1, 20'000));
    const auto slice = must(fetch_slice(fixture.partition, from, bytes_max));
    const auto first =
        static_cast<std::size_t>(std::upper_bound(bases.begin(), bases.end(), from) - bases.begin()) - 1;
    const std::size_t begin = first == 0 ? 0 : ends[first - 1];
    std::size_t last = first;
    while (last + 1 < ends.size() && ends[last + 1] - begin <= bytes_max) ++last;
    CAPTURE(from);
    CAPTURE(bytes_max);
    REQUIRE(slice.position == begin);
    REQUIRE(slice.size_bytes == ends[last] - begin);
    REQUIRE(slice.first_offset == bases[first]);
    REQUIRE(slice.next_offset ==
            (last + 1 < bases.size() ? bases[last + 1] : fixture.partition->log_end_offset()));
  }
}

TEST_CASE("fetching on at next_offset moves the whole log, byte for byte, segment by segment") {
  ReaderFixture fixture;
  fixture.fill(4);
  std::string moved;
  std::size_t slices = 0;
  for (Offset at = 0; at < fixture.partition->high_watermark(); ++slices) {
    const auto slice = must(fetch_slice(fixture.partition, at, 1 << 20));
    CHECK(file_bytes(slice) == mapped_bytes(slice));
    moved += file_bytes(slice);
    REQUIRE(slice.next_offset > at);
    at = slice.next_offset;
  }
  CHECK(slices == 4);
  std::string stored;
  const auto segments = fixture.partition->segments().load();
  for (const auto& segment : *segments) {
    const auto pin = must(segment->pin());
    stored += base::as_text({pin->log.data(), segment->end_position()});
  }
  CHECK(moved == stored);
}

TEST_CASE("at least one batch comes, however small the limit") {
  ReaderFixture fixture(1'000'000);
  fixture.append({.value = std::string(5'000, 'v')});
  const auto slice = must(fetch_slice(fixture.partition, 0, 1));
  CHECK(slice.size_bytes > 5'000);
  CHECK(slice.next_offset == 1);
}

TEST_CASE("at the high watermark there is an empty slice, beyond it an error") {
  ReaderFixture fixture;
  fixture.append();
  const auto slice = must(fetch_slice(fixture.partition, 1, 1'000));
  CHECK(slice.size_bytes == 0);
  CHECK(slice.next_offset == 1);
  auto beyond = fetch_slice(fixture.partition, 2, 1'000);
  REQUIRE_FALSE(beyond);
  CHECK(beyond.error().code() == Errc::offset_out_of_range);
}

TEST_CASE("a slice keeps its bytes and its file after retention has deleted them, and after the partition") {
  FetchSlice slice;
  std::string before;
  {
    ReaderFixture fixture;
    fixture.fill(3);
    slice = must(fetch_slice(fixture.partition, 0, 1 << 20));
    before = file_bytes(slice);
    fixture.delete_below(fixture.partition->segments().load()->back()->base_offset());
    CHECK_FALSE(std::filesystem::exists(fixture.log_path(0)));
    CHECK_FALSE(fetch_slice(fixture.partition, 0, 1 << 20));
    CHECK(file_bytes(slice) == before);
  }
  CHECK(file_bytes(slice) == before);
  CHECK(mapped_bytes(slice) == before);
}

TEST_CASE("damage at the first batch is an error, damage further on ends the slice before it") {
  ReaderFixture fixture(1'000'000);
  for (int i = 0; i < 3; ++i) fixture.append();
  partition::FetchCursor cursor(fixture.partition);
  must(cursor.seek(2));
  overwrite(fixture.log_path(0), cursor.position() + format::magic_at, "\x07");
  const auto slice = must(fetch_slice(fixture.partition, 0, 1 << 20));
  CHECK(slice.size_bytes == cursor.position());
  CHECK(slice.next_offset == 2);
  auto damaged = fetch_slice(fixture.partition, 2, 1 << 20);
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().code() == Errc::corrupt_record);
}

}  // namespace
}  // namespace seriatim::test
