// The findings of scan_segment, and that it takes nothing for granted.
#include <doctest/doctest.h>

#include <filesystem>

#include "support/passing_vfs.hpp"
#include "support/random.hpp"
#include "unit/segment/segment_fixture.hpp"

using namespace seriatim;
using format::BatchFault;
using segment::RecoveryRequest;
using test::LogBuilder;
using test::t0_ms;

namespace {

using Bytes = std::vector<std::byte>;

struct IndexFiles {
  Bytes offsets;
  Bytes times;
  bool operator==(const IndexFiles&) const = default;
};

// A segment of 60 KB, its indexes as the appender wrote them, sealed or only closed.
struct ScanFixture : test::SegmentFixture {
  LogBuilder log = LogBuilder().batches(60, {.size_bytes = 1000, .records = 2});

  void write(bool is_sealed) {
    const auto writer = create();
    test::append(*writer, log);
    test::must(is_sealed ? writer->seal() : writer->trim());
  }
  IndexFiles indexes() const { return {test::read_file(index_path()), test::read_file(time_index_path())}; }
  RecoveryRequest durable_to(std::size_t batches) const {
    auto what = request();
    what.durable_position = batches == 0 ? 0 : log[batches - 1].end();
    what.durable_offset = batches == 0 ? 0 : log[batches - 1].header.next_offset();
    return what;
  }
  void check_whole(const segment::RecoveredSegment& found) const {
    CHECK(found.state.end_position == log.size_bytes());
    CHECK(found.state.end_offset == log.next_offset());
    CHECK(found.state.max_timestamp ==
          segment::TimestampOffset{log.back().header.max_timestamp_ms, log.back().header.last_offset()});
    CHECK(found.state.first_timestamp_ms == log[0].header.max_timestamp_ms);
    CHECK(found.contained_fault == BatchFault::none);
  }
};

// Reads of the log, to be counted; a scan may not change anything.
class WatchingVfs final : public test::PassingVfs {
 public:
  std::uint64_t log_bytes_read = 0;
  bool dropped_cache = false;

  class WatchingFile final : public test::PassingFile {
   public:
    WatchingFile(std::unique_ptr<os::File> file, WatchingVfs& vfs)
        : PassingFile(std::move(file)), vfs_(vfs) {}
    Result<std::size_t> read_at(base::MutableByteSpan into, std::uint64_t at) override {
      if (path().ends_with(".log")) vfs_.log_bytes_read += into.size();
      return PassingFile::read_at(into, at);
    }
    Result<void> drop_cache(std::uint64_t at, std::uint64_t length) override {
      // Before anything was read, or it would have come from the cache.
      vfs_.dropped_cache = vfs_.dropped_cache || vfs_.log_bytes_read == 0;
      return PassingFile::drop_cache(at, length);
    }

   private:
    WatchingVfs& vfs_;
  };

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    if (mode != os::OpenMode::read) {
      return Error(Errc::invalid_state, "a scan opens nothing for writing: " + path);
    }
    return open_as<WatchingFile>(path, mode, *this);
  }
  Result<void> rename(const std::string&, const std::string&) override { return refuse(); }
  Result<void> remove(const std::string&) override { return refuse(); }
  Result<void> sync_directory(const std::string&) override { return refuse(); }

 private:
  static Error refuse() { return {Errc::invalid_state, "a scan changes nothing"}; }
};

segment::RecoveredSegment scan_watched(WatchingVfs& vfs, const RecoveryRequest& request) {
  os::FdCache files(vfs, 8);
  return test::must(segment::scan_segment({vfs, files}, request));
}

}  // namespace

TEST_CASE("a log without indexes is found whole") {
  ScanFixture f;
  test::write_file(f.log_path(), f.log.bytes());
  const auto found = segment::scan_segment(f.context, f.request());
  REQUIRE(found);
  CHECK(found->indexes_need_rebuild);
  CHECK(found->fault == BatchFault::none);
  f.check_whole(*found);
}

TEST_CASE("a log that is not there is not_found, an empty one is empty") {
  ScanFixture f;
  CHECK(segment::scan_segment(f.context, f.request()).error().code() == Errc::not_found);
  test::write_file(f.log_path(), {});
  const auto found = f.scan(f.request());
  CHECK(found.state.end_position == 0);
  CHECK(found.state.end_offset == 0);
  CHECK(found.state.max_timestamp.timestamp_ms == -1);
  CHECK(found.fault == BatchFault::none);
}

TEST_CASE("cut anywhere in the last two batches, exactly the whole batches before the cut are found") {
  ScanFixture f;
  f.log = LogBuilder().batches(6, {.size_bytes = 100, .records = 2});
  const auto whole = f.log.bytes();
  // With nothing, and with zeros that were allocated ahead, where the rest was.
  for (const bool zero_filled : {false, true}) {
    for (std::uint64_t cut = f.log[4].position; cut <= whole.size(); ++cut) {
      Bytes torn(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut));
      if (zero_filled) torn.resize(4096);
      test::write_file(f.log_path(), torn);
      // Bytes that are zero anyway are not missed where zeros are.
      std::size_t batches = 4;
      while (batches < 6 && f.log[batches].end() <= torn.size() &&
             std::equal(f.log[batches].bytes.begin(), f.log[batches].bytes.end(),
                        torn.begin() + static_cast<std::ptrdiff_t>(f.log[batches].position))) {
        ++batches;
      }
      const auto found = f.scan(f.request());
      CAPTURE(cut);
      REQUIRE(found.state.end_position == f.log[batches - 1].end());
      REQUIRE(found.state.end_offset == f.log[batches - 1].header.next_offset());
      REQUIRE(found.file_bytes == torn.size());
      if (cut == f.log[batches - 1].end()) {
        CHECK(found.fault == (zero_filled ? BatchFault::end_of_log : BatchFault::none));
      }
    }
  }
}

TEST_CASE("zeros are the end of the log, not a fault") {
  ScanFixture f;
  auto bytes = f.log.bytes();
  bytes.resize(1 << 20);
  test::write_file(f.log_path(), bytes);
  const auto found = f.scan(f.request());
  CHECK(found.fault == BatchFault::end_of_log);
  CHECK(found.file_bytes == 1 << 20);
  f.check_whole(found);
}

TEST_CASE("every flipped bit behind the durable position is found") {
  ScanFixture f;
  f.log = LogBuilder().batches(3, {.size_bytes = 100, .records = 2});
  const auto whole = f.log.bytes();
  const auto request = f.durable_to(1);
  for (std::uint64_t at = f.log[1].position; at < f.log[1].end(); ++at) {
    // The leader epoch is outside the checksum and any value from -1 up is legal: a flip there is harmless.
    if (at - f.log[1].position >= format::leader_epoch_at && at - f.log[1].position < format::magic_at)
      continue;
    // Of the fields without a checksum every bit, of the others one in eight.
    for (int bit = 0; bit < 8; ++bit) {
      if (at - f.log[1].position >= format::crc_at && bit != static_cast<int>(at % 8)) continue;
      auto bytes = whole;
      bytes[at] ^= static_cast<std::byte>(1 << bit);
      test::write_file(f.log_path(), bytes);
      const auto found = f.scan(request);
      CAPTURE(at);
      CAPTURE(bit);
      const bool is_kept = found.contained_fault != BatchFault::none;
      REQUIRE((is_kept ? found.contained_fault_position : found.state.end_position) == f.log[1].position);
      // Where the checksum still fits it is damage; else a torn tail.
      REQUIRE((is_kept ? at - f.log[1].position < format::crc_at : found.fault != BatchFault::none));
    }
  }
}

TEST_CASE("a gap between offsets is a fault unless compaction may have left it") {
  ScanFixture f;
  f.log = LogBuilder().batch().gap(3).batch();
  test::write_file(f.log_path(), f.log.bytes());
  auto request = f.request();
  // At the end nothing tells a gap from a flipped bit: it is kept, at the offset it should have.
  const auto found = f.scan(request);
  CHECK(found.contained_fault == BatchFault::wrong_offset);
  CHECK(found.state.end_position == f.log.size_bytes());
  CHECK(found.state.end_offset == 2);
  request.may_have_gaps = true;
  CHECK(f.scan(request).contained_fault == BatchFault::none);
  CHECK(f.scan(request).state.end_offset == 5);
}

TEST_CASE("INV-12: a gap that the batches behind it bear out is one, whoever wrote the log") {
  for (const Offset first : {0, 1'000}) {
    ScanFixture f;
    f.log = LogBuilder().gap(first).batches(2).gap(3).batches(2).gap(1'000).batches(3);
    test::write_file(f.log_path(), f.log.bytes());
    const auto found = f.scan(f.request());
    CHECK(found.contained_fault == BatchFault::none);
    CHECK(found.has_gaps);
    CHECK(found.state.end_position == f.log.size_bytes());
    CHECK(found.state.end_offset == f.log.next_offset());
  }
}

TEST_CASE("offsets too far above the base to be indexed end the log") {
  ScanFixture f;
  const Offset far = (Offset{1} << 31) - 1;
  f.log = LogBuilder().batch().gap(far - 1).batch().batch();
  test::write_file(f.log_path(), f.log.bytes());
  auto request = f.request();
  request.may_have_gaps = true;
  const auto found = f.scan(request);
  CHECK(found.state.end_offset == far + 1);
  CHECK(found.fault == BatchFault::wrong_offset);
}

TEST_CASE("damage before the durable position does not hide what follows") {
  ScanFixture f;
  f.write(false);
  auto bytes = f.log.bytes();
  bytes[f.log[1].position + format::magic_at] = std::byte{7};
  test::write_file(f.log_path(), bytes);
  std::filesystem::remove(f.index_path());  // so that the damaged place has to be walked
  const auto found = f.scan(f.durable_to(50));
  CHECK(found.contained_fault == BatchFault::bad_magic);
  CHECK(found.contained_fault_position == f.log[1].position);
  CHECK(found.state.end_position == f.log.size_bytes());
  CHECK(found.state.end_offset == f.log.next_offset());
}

TEST_CASE("a file that ends below the durable position is found as far as it goes") {
  ScanFixture f;
  f.write(true);
  std::filesystem::resize_file(f.log_path(), f.log[30].position + 10);
  const auto found = f.scan(f.durable_to(60));
  CHECK(found.state.end_position == f.log[29].end());
  CHECK(found.fault == BatchFault::truncated);
}

TEST_CASE("a durable position inside a batch is not believed") {
  ScanFixture f;
  f.write(false);
  auto request = f.request();
  request.durable_position = f.log[40].position + 17;
  request.durable_offset = f.log[40].header.next_offset();
  f.check_whole(f.scan(request));
}

TEST_CASE(
    "indexes that are whole after an unclean stop need no rebuild, whatever was allocated behind them") {
  ScanFixture f;
  const auto writer = f.create();
  const auto segment = writer->segment();
  test::append(*writer, f.log);
  const auto pin = test::must(segment->pin());
  // As after kill -9: nothing trimmed.
  CHECK(test::file_size(f.index_path()) == 4096);
  for (std::size_t durable = 0; durable <= 60; durable += 10) {
    const auto found = f.scan(f.durable_to(durable));
    f.check_whole(found);
    CHECK(found.fault == BatchFault::end_of_log);
    CHECK_FALSE(found.indexes_need_rebuild);
    CHECK(found.state.offset_index_entries == pin->offset_index.count());
    CHECK(found.state.time_index_entries == pin->time_index.count());
  }
}

TEST_CASE("a sealed segment without its closing entry, or with bytes behind its entries, needs a rebuild") {
  ScanFixture f;
  f.write(true);
  auto request = f.durable_to(60);
  request.is_sealed = true;
  CHECK_FALSE(f.scan(request).indexes_need_rebuild);
  const auto good = f.indexes();
  test::write_file(f.time_index_path(), base::ByteSpan(good.times).first(good.times.size() - 12));
  CHECK(f.scan(request).indexes_need_rebuild);
  test::write_file(f.time_index_path(), good.times);
  auto longer = good.offsets;
  longer.resize(4096);
  test::write_file(f.index_path(), longer);
  CHECK(f.scan(request).indexes_need_rebuild);
  // Of the active segment those bytes are only what was allocated ahead.
  request.is_sealed = false;
  CHECK_FALSE(f.scan(request).indexes_need_rebuild);
}

TEST_CASE("an index that lost its end in a power cut never makes the largest timestamp too small") {
  test::Random random("an index that lost its end");
  for (int round = 0; round < 30; ++round) {
    ScanFixture f;
    f.log = LogBuilder();
    for (int i = 0; i < 60; ++i) {
      f.log.batch({.size_bytes = static_cast<std::size_t>(random.between(200, 3000)),
                   .timestamp_ms = t0_ms + random.between(0, 200)});
    }
    f.write(random.one_in(2));
    const auto good = f.indexes();
    const auto expected = f.scan(f.request()).state.max_timestamp;
    auto bad = good;
    const auto kept_offsets =
        static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(good.offsets.size())));
    const auto kept_times =
        static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(good.times.size())));
    // Lost as zeros or as length.
    std::fill(bad.offsets.begin() + static_cast<std::ptrdiff_t>(kept_offsets), bad.offsets.end(),
              std::byte{0});
    std::fill(bad.times.begin() + static_cast<std::ptrdiff_t>(kept_times), bad.times.end(), std::byte{0});
    if (random.one_in(2)) bad.offsets.resize(kept_offsets);
    if (random.one_in(2)) bad.times.resize(kept_times);
    test::write_file(f.index_path(), bad.offsets);
    test::write_file(f.time_index_path(), bad.times);
    const auto durable = static_cast<std::size_t>(random.between(0, 60));
    const auto found = f.scan(f.durable_to(durable));
    CHECK(found.state.max_timestamp == expected);
    CHECK(found.state.end_offset == f.log.next_offset());
  }
}

TEST_CASE("a clean segment costs no scan of its data, and nothing is dropped or changed") {
  for (const bool is_sealed : {false, true}) {
    ScanFixture f;
    f.write(is_sealed);
    auto request = f.durable_to(60);
    request.is_sealed = is_sealed;
    for (const bool indexes_synced : {false, true}) {
      request.indexes_synced = indexes_synced;
      WatchingVfs vfs;
      const auto found = scan_watched(vfs, request);
      f.check_whole(found);
      CHECK_FALSE(found.indexes_need_rebuild);
      CHECK(found.state.offset_index_entries == 11);
      // Believed as it is, the closing entry included; or as it has to be for a segment that goes on.
      CHECK(found.state.time_index_entries == (is_sealed || indexes_synced ? 12 : 11));
      // The batches behind the last entry or the one before, twice, and the header of the first.
      CHECK(vfs.log_bytes_read <= 2 * (indexes_synced ? 5000 : 10'000) + format::header_bytes);
      CHECK_FALSE(vfs.dropped_cache);
    }
  }
}

TEST_CASE("what is scanned after an unclean stop is read from the disk") {
  ScanFixture f;
  f.write(false);
  WatchingVfs vfs;
  scan_watched(vfs, f.durable_to(30));
  CHECK(vfs.dropped_cache);
}

TEST_CASE("synced indexes whose ends make no sense are not believed after all") {
  ScanFixture f;
  f.write(true);
  auto request = f.durable_to(60);
  request.is_sealed = true;
  request.indexes_synced = true;
  const auto good = f.indexes();
  for (int damage = 0; damage < 5; ++damage) {
    auto bad = good;
    if (damage == 0) std::fill(bad.offsets.end() - 8, bad.offsets.end(), std::byte{0});
    if (damage == 1) bad.offsets.resize(bad.offsets.size() - 3);
    if (damage == 2) base::store_be<std::int32_t>(bad.offsets.data() + bad.offsets.size() - 4, 59'001);
    if (damage == 3) bad.times[bad.times.size() - 12] = std::byte{0x80};
    test::write_file(f.index_path(), bad.offsets);
    test::write_file(f.time_index_path(), bad.times);
    if (damage == 4) std::filesystem::remove(f.time_index_path());
    CAPTURE(damage);
    auto found = f.scan(request);
    f.check_whole(found);
    REQUIRE(found.indexes_need_rebuild);
    test::must(segment::rebuild_indexes(f.context, request, found.state));
    CHECK(f.indexes() == good);
  }
}

TEST_CASE("an index that points into another batch is not believed") {
  ScanFixture f;
  f.write(true);
  const auto good = f.indexes();
  for (const std::size_t from_end : {4U, 12U}) {
    // In order, and wrong.
    auto bad = good.offsets;
    std::byte* const position = bad.data() + bad.size() - from_end;
    base::store_be<std::int32_t>(position, base::load_be<std::int32_t>(position) + 1);
    test::write_file(f.index_path(), bad);
    auto request = f.durable_to(60);
    request.is_sealed = true;
    auto found = f.scan(request);
    f.check_whole(found);
    REQUIRE(found.indexes_need_rebuild);
    test::must(segment::rebuild_indexes(f.context, request, found.state));
    CHECK(f.indexes() == good);
  }
}
