// The appender's half: order of the steps, room ahead of the writer, roll conditions, sealing, syncing, full
// disks.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include "support/hex.hpp"
#include "support/mounted.hpp"
#include "unit/segment/segment_fixture.hpp"

using namespace seriatim;
using segment::Segment;
using test::LogBuilder;
using test::t0_ms;

TEST_CASE("placed without publish is invisible, and the next batch overwrites it") {
  for (const bool mapped : {true, false}) {
    test::SegmentFixture f;
    f.limits.mapped_writes = mapped;
    const auto segment = f.create();
    const auto lost = LogBuilder().batch({.size_bytes = 900, .timestamp_ms = t0_ms + 99});
    const auto kept = LogBuilder().batch({.size_bytes = 500});
    const auto placed = test::must(segment->place(lost[0].bytes, lost[0].header, 0));
    CHECK(placed.position == 0);
    CHECK(placed.last_offset == 0);
    test::must(segment->note(placed));
    CHECK(segment->end_position() == 0);
    CHECK(segment->end_offset() == 0);
    CHECK(segment->max_timestamp_ms() == -1);
    test::append(*segment, kept);
    CHECK(segment->max_timestamp_ms() == t0_ms);
    CHECK(test::visible(*segment) == kept.bytes());
    test::must(segment->seal());
    CHECK(test::read_file(f.log_path()) == kept.bytes());
  }
}

TEST_CASE("an index entry of a batch that was noted and not published is not there") {
  test::SegmentFixture f;
  const auto segment = f.create();
  test::append(*segment, LogBuilder().batch({.size_bytes = 5000}));
  const auto lost = LogBuilder(1).batch({.size_bytes = 700, .timestamp_ms = t0_ms + 50});
  test::must(segment->note(test::must(segment->place(lost[0].bytes, lost[0].header, 1))));
  const auto pin = test::must(segment->pin());
  CHECK(pin->offset_index.count() == 0);
  CHECK(pin->time_index.count() == 0);
  // Another batch takes its place, and its entry.
  const auto kept = LogBuilder(1).batch({.size_bytes = 800, .records = 3, .timestamp_ms = t0_ms + 5});
  test::append(*segment, kept);
  REQUIRE(pin->offset_index.count() == 1);
  CHECK(pin->offset_index.at(0) == segment::OffsetPosition{3, 5000});
  CHECK(pin->time_index.at(0) == segment::TimestampOffset{t0_ms + 7, 3});
}

TEST_CASE("the base offset is stamped and nothing else of the batch changes") {
  for (const bool mapped : {true, false}) {
    test::SegmentFixture f;
    f.limits.mapped_writes = mapped;
    const auto segment = f.create(77);
    const auto bytes = test::make_batch({.records = 5});
    const auto placed = test::must(segment->place(bytes, format::read_batch_header(bytes.data()), 77));
    test::must(segment->note(placed));
    segment->publish(placed);
    CHECK(placed.last_offset == 81);
    CHECK(segment->end_offset() == 82);
    auto expected = bytes;
    format::stamp_base_offset(expected.data(), 77);
    CHECK(test::visible(*segment) == expected);
  }
}

TEST_CASE("the indexes an appender leaves are those Kafka makes from its log") {
  for (const bool mapped : {true, false}) {
    test::SegmentFixture f;
    f.limits.mapped_writes = mapped;
    const auto log = test::worked_example();
    const auto segment = f.create();
    test::append(*segment, log);
    test::must(segment->seal());
    CHECK(test::read_file(f.log_path()) == log.bytes());
    CHECK(test::to_hex(test::read_file(f.index_path())) ==
          test::to_hex(test::from_hex("00000003 0000126c 00000006 000024d8 0000000b 00003d78")));
    CHECK(test::to_hex(test::read_file(f.time_index_path())) ==
          test::to_hex(test::from_hex("0000018bcfe56803 00000003 0000018bcfe56806 00000006 "
                                      "0000018bcfe5680b 0000000b 0000018bcfe5680d 0000000d")));
  }
}

TEST_CASE("a batch may be written in the room reserved for it") {
  test::SegmentFixture f;
  const auto segment = f.create();
  const auto log = LogBuilder().batches(3, {.size_bytes = 100'000});
  for (const auto& batch : log.all()) {
    const auto room = test::must(segment->reserve(batch.bytes.size()));
    CHECK(test::must(segment->reserve(10)).data() == room.data());
    std::copy(batch.bytes.begin(), batch.bytes.end(), room.begin());
    const auto placed = test::must(segment->place(room, batch.header, batch.header.base_offset));
    test::must(segment->note(placed));
    segment->publish(placed);
  }
  CHECK(test::visible(*segment) == log.bytes());
}

TEST_CASE("there is no room to reserve where writes do not go through the map") {
  test::SegmentFixture f;
  f.limits.mapped_writes = false;
  const auto room = f.create()->reserve(100);
  REQUIRE_FALSE(room);
  CHECK(room.error().code() == Errc::invalid_state);
}

TEST_CASE("a segment has room up to segment.bytes exactly") {
  test::SegmentFixture f;
  f.limits.segment_bytes = 10'000;
  const auto segment = f.create();
  CHECK(segment->has_room(10'000, 0));
  CHECK_FALSE(segment->has_room(10'001, 0));
  test::append(*segment, LogBuilder().batch({.size_bytes = 9'000}));
  CHECK(segment->has_room(1'000, 1));
  CHECK_FALSE(segment->has_room(1'001, 1));
  const auto last = LogBuilder(1).batch({.size_bytes = 1'000});
  test::append(*segment, last);
  CHECK_FALSE(segment->has_room(1, 2));
  test::must(segment->seal());
  CHECK(test::file_size(f.log_path()) == 10'000);
}

TEST_CASE("a segment has room for offsets up to 2^31 - 1 above its base") {
  test::SegmentFixture f;
  const Offset base = Offset{1} << 40;
  const auto segment = f.create(base);
  constexpr Offset span_max = std::numeric_limits<std::int32_t>::max();
  CHECK(segment->has_room(100, base + span_max));
  CHECK_FALSE(segment->has_room(100, base + span_max + 1));
}

TEST_CASE("a full index takes the room of a segment, but never of an empty one") {
  test::SegmentFixture f;
  f.limits.index_bytes = 36;  // four offset entries; three time entries, one in reserve
  f.limits.index_interval_bytes = 0;
  const auto segment = f.create();
  int appended = 0;
  for (; segment->has_room(100, appended); ++appended) {
    test::append(*segment, LogBuilder(appended).batch({.size_bytes = 100, .timestamp_ms = t0_ms + appended}));
  }
  CHECK(appended == 3);  // the first has no entry
  test::must(segment->seal());
  CHECK(test::file_size(f.time_index_path()) == 24);  // no later timestamp that would need a closing entry

  f.limits.index_bytes = 0;
  const auto tiny = f.create(1000);
  CHECK(tiny->has_room(100, 1000));
  test::append(*tiny, LogBuilder(1000).batch({.size_bytes = 100}));
  CHECK_FALSE(tiny->has_room(100, 1001));
}

TEST_CASE("a batch that does not fit is refused, whatever the caller believed") {
  for (const bool mapped : {true, false}) {
    test::SegmentFixture f;
    f.limits = {.segment_bytes = 5'000, .mapped_writes = mapped};
    const auto segment = f.create();
    const auto placed = test::try_append(*segment, LogBuilder().batch({.size_bytes = 5'001})[0]);
    REQUIRE_FALSE(placed);
    CHECK(placed.error().code() == Errc::record_too_large);
    test::append(*segment, LogBuilder().batch({.size_bytes = 5'000}));
  }
}

TEST_CASE("the file grows from 1 MiB, doubling to 64 MiB, and not past the segment's size") {
  test::SegmentFixture f;
  f.limits.segment_bytes = 300ULL << 20;
  const auto segment = f.create();
  CHECK(test::file_size(f.log_path()) == 0);  // an idle topic costs nothing
  // Filling memory would only slow the test down: the appender's position moves, the pages stay untouched.
  const auto batch = test::make_batch({.size_bytes = 1 << 20});
  const auto header = format::read_batch_header(batch.data());
  std::vector<std::uint64_t> sizes;
  for (Offset offset = 0; segment->has_room(batch.size(), offset); ++offset) {
    const auto placed = test::must(segment->place(batch, header, offset));
    test::must(segment->note(placed));
    segment->publish(placed);
    const auto size = test::file_size(f.log_path());
    CHECK(size == segment->allocated_bytes());
    if (sizes.empty() || size != sizes.back()) sizes.push_back(size);
    if (sizes.size() > 8) break;
  }
  std::vector<std::uint64_t> mib;
  for (const auto size : sizes) mib.push_back(size >> 20);
  CHECK(mib == std::vector<std::uint64_t>{1, 3, 7, 15, 31, 63, 127, 191, 255});
  const auto last = test::must(segment->reserve((256ULL << 20) - segment->append_position()));
  CHECK(last.size() > 0);
  CHECK(test::file_size(f.log_path()) == 300ULL << 20);
}

TEST_CASE("after sealing and after trimming every file has its exact length") {
  for (const bool mapped : {true, false}) {
    test::SegmentFixture f;
    f.limits.mapped_writes = mapped;
    const auto first = LogBuilder().batches(30, {.size_bytes = 1000});
    const auto segment = f.create();
    test::append(*segment, first);
    test::must(segment->trim());
    CHECK(test::read_file(f.log_path()) == first.bytes());
    CHECK(test::file_size(f.index_path()) == 5 * 8);
    CHECK(test::file_size(f.time_index_path()) == 5 * 12);
    // Trimming is not the end.
    const auto second = LogBuilder(30).batches(7, {.size_bytes = 1000, .timestamp_ms = t0_ms + 30});
    test::append(*segment, second);
    test::must(segment->seal());
    test::must(segment->seal());
    test::must(segment->trim());
    auto whole = first.bytes();
    const auto rest = second.bytes();
    whole.insert(whole.end(), rest.begin(), rest.end());
    CHECK(test::read_file(f.log_path()) == whole);
    CHECK(test::visible(*segment) == whole);
    CHECK(test::file_size(f.index_path()) == 7 * 8);
    CHECK(test::file_size(f.time_index_path()) == 8 * 12);
  }
}

TEST_CASE("sealing again after a failure adds no entry twice") {
  test::SegmentFixture f;
  const auto segment = f.create();
  test::append(*segment, LogBuilder().batches(3, {.size_bytes = 1000}));
  // No log to be opened under its name: the step after the indexes fails.
  f.files.forget(f.log_path());
  std::filesystem::rename(f.log_path(), f.log_path() + ".away");
  CHECK(segment->seal().error().code() == Errc::not_found);
  CHECK_FALSE(segment->is_sealed());
  std::filesystem::rename(f.log_path() + ".away", f.log_path());
  test::append(*segment, LogBuilder(3).batch({.size_bytes = 1000, .timestamp_ms = t0_ms + 3}));
  test::must(segment->seal());
  CHECK(test::file_size(f.log_path()) == 4000);
  REQUIRE(test::file_size(f.time_index_path()) == 12);
  CHECK(test::must(segment->pin())->time_index.at(0) == segment::TimestampOffset{t0_ms + 3, 3});
}

TEST_CASE("timestamps of the segment and of its first batch are kept") {
  test::SegmentFixture f;
  const auto segment = f.create();
  CHECK(segment->first_timestamp_ms() == -1);
  LogBuilder log;
  for (const int ms : {10, 30, 20}) log.batch({.timestamp_ms = t0_ms + ms});
  test::append(*segment, log);
  CHECK(segment->first_timestamp_ms() == t0_ms + 10);
  CHECK(segment->max_timestamp_ms() == t0_ms + 30);
  segment->set_created_ms(5);
  CHECK(segment->created_ms() == 5);
}

namespace {

// Counts what reaches the disk, in order, and can refuse it.
class CountingVfs final : public os::Vfs {
 public:
  std::vector<std::string> synced;
  bool refuse_sync = false;

  class CountingFile final : public os::File {
   public:
    CountingFile(CountingVfs& vfs, std::unique_ptr<os::File> file) : vfs_(vfs), file_(std::move(file)) {}
    Result<std::size_t> read_at(base::MutableByteSpan into, std::uint64_t at) override {
      return file_->read_at(into, at);
    }
    Result<void> write_at(base::ByteSpan from, std::uint64_t at) override {
      return file_->write_at(from, at);
    }
    Result<void> write_gather_at(std::span<const base::ByteSpan> pieces, std::uint64_t at) override {
      return file_->write_gather_at(pieces, at);
    }
    Result<void> allocate(std::uint64_t at, std::uint64_t length) override {
      return file_->allocate(at, length);
    }
    Result<void> truncate(std::uint64_t size) override { return file_->truncate(size); }
    Result<void> sync_data() override {
      if (vfs_.refuse_sync) return Error(Errc::storage_failed, "refused");
      vfs_.synced.push_back(std::filesystem::path(path()).extension());
      return file_->sync_data();
    }
    Result<void> sync_all() override { return sync_data(); }
    Result<std::uint64_t> size() override { return file_->size(); }
    Result<os::Mapping> map(std::uint64_t length, os::Access access) override {
      return file_->map(length, access);
    }
    Result<void> start_writeback(std::uint64_t at, std::uint64_t length) override {
      vfs_.written_back.emplace_back(at, length);
      return file_->start_writeback(at, length);
    }
    Result<void> drop_cache(std::uint64_t at, std::uint64_t length) override {
      return file_->drop_cache(at, length);
    }
    int descriptor() const noexcept override { return file_->descriptor(); }
    const std::string& path() const noexcept override { return file_->path(); }
    Result<std::int64_t> modified_ms() override { return file_->modified_ms(); }
    Result<void> set_modified_ms(std::int64_t ms) override { return file_->set_modified_ms(ms); }

   private:
    CountingVfs& vfs_;
    std::unique_ptr<os::File> file_;
  };

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    auto file = real_.open(path, mode);
    if (!file) return std::move(file).error();
    return std::unique_ptr<os::File>(new CountingFile(*this, std::move(*file)));
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    return real_.rename(from, to);
  }
  Result<void> remove(const std::string& path) override { return real_.remove(path); }
  Result<void> create_directory(const std::string& path) override { return real_.create_directory(path); }
  Result<void> remove_directory(const std::string& path) override { return real_.remove_directory(path); }
  Result<std::vector<os::DirEntry>> list(const std::string& path) override { return real_.list(path); }
  Result<void> sync_directory(const std::string& path) override {
    synced.push_back("directory");
    return real_.sync_directory(path);
  }
  Result<bool> exists(const std::string& path) override { return real_.exists(path); }
  Result<os::FileSystem> file_system(const std::string& path) override { return real_.file_system(path); }

  std::vector<std::pair<std::uint64_t, std::uint64_t>> written_back;

 private:
  os::Vfs& real_ = os::posix_vfs();
};

struct CountingFixture {
  test::TempDir directory;
  CountingVfs vfs;
  os::FdCache files{vfs, 16};
  segment::MapCache maps;
  segment::SegmentPtr segment = test::must(Segment::create(
      {vfs, files}, maps, directory.path(), 0, {.segment_bytes = 1 << 20, .index_bytes = 1 << 16}));
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a segment exists when its directory entry does") {
  const CountingFixture f;
  CHECK(f.vfs.synced == Names{"directory"});
}

TEST_CASE("sync covers the log, once, until there is something new") {
  CountingFixture f;
  f.vfs.synced.clear();
  const auto log = LogBuilder().batches(2, {.size_bytes = 5000});
  test::must(test::try_append(*f.segment, log[0]));
  test::must(f.segment->sync());
  test::must(f.segment->sync());
  CHECK(f.vfs.synced == Names{".log"});
  test::must(test::try_append(*f.segment, log[1]));
  test::must(f.segment->sync());
  CHECK(f.vfs.synced == Names{".log", ".log"});
}

TEST_CASE("the indexes of a sealed or trimmed segment are durable before its log is") {
  CountingFixture f;
  test::append(*f.segment, LogBuilder().batches(2, {.size_bytes = 5000}));
  test::must(f.segment->sync());
  f.vfs.synced.clear();
  test::must(f.segment->trim());
  test::must(f.segment->sync());
  CHECK(f.vfs.synced == Names{".index", ".timeindex", ".log"});
  test::append(*f.segment, LogBuilder(2).batch());
  test::must(f.segment->seal());
  test::must(f.segment->sync());
  test::must(f.segment->sync());
  CHECK(f.vfs.synced == Names{".index", ".timeindex", ".log", ".index", ".timeindex", ".log"});
}

TEST_CASE("a failed sync is reported, and never taken for a later success without trying") {
  CountingFixture f;
  test::append(*f.segment, LogBuilder().batch());
  f.vfs.refuse_sync = true;
  CHECK(f.segment->sync().error().code() == Errc::storage_failed);
  CHECK(f.segment->sync().error().code() == Errc::storage_failed);
}

TEST_CASE("maps of a sealed segment are not dropped before it is synced") {
  CountingFixture f;
  test::append(*f.segment, LogBuilder().batch());
  test::must(f.segment->seal());
  CHECK(f.maps.size() == 0);
  test::must(f.segment->sync());
  CHECK(f.maps.size() == 1);
}

TEST_CASE("write-back is started for what was published since the last time") {
  CountingFixture f;
  const auto log = LogBuilder().batches(2, {.size_bytes = 5000});
  test::must(f.segment->start_writeback());
  test::must(test::try_append(*f.segment, log[0]));
  test::must(f.segment->start_writeback());
  test::must(f.segment->start_writeback());
  test::must(test::try_append(*f.segment, log[1]));
  test::must(f.segment->start_writeback());
  CHECK(f.vfs.written_back == std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 5000}, {5000, 5000}});
}

TEST_CASE("a full disk is an error; readers go on, and appends work again when there is space") {
  for (const bool mapped : {true, false}) {
    const bool ran = test::with_mounted("tmpfs", "size=3m", [mapped](const std::string& root) {
      test::SegmentFixture f(root);
      f.limits.mapped_writes = mapped;
      const auto segment = f.create();
      LogBuilder log;
      Result<> refused;
      // Not ours, and no multiple of what we ask for, so that the last chunk is not a whole one.
      test::write_file(root + "/other", std::vector<std::byte>(100'000));
      while (log.size_bytes() < (4u << 20)) {
        const auto next = LogBuilder(log.next_offset())
                              .batch({.size_bytes = 1000, .timestamp_ms = t0_ms + log.next_offset()});
        if (auto placed = test::try_append(*segment, next[0]); !placed) {
          refused = placed.error();
          break;
        }
        log.batch({.size_bytes = 1000, .timestamp_ms = t0_ms + log.next_offset()});
      }
      CHECK_FALSE(refused);
      if (refused) return;
      CHECK(refused.error().code() == Errc::storage_full);
      CHECK(refused.error().message().find(segment->log_path()) != std::string::npos);
      // Nearly all of it was used: what is asked for last is small.
      CHECK(log.size_bytes() > (3u << 20) - 100'000 - 3 * 65'536);
      CHECK(test::visible(*segment) == log.bytes());
      const auto large = LogBuilder(log.next_offset()).batch({.size_bytes = 200'000});
      CHECK(test::try_append(*segment, large[0]).error().code() == Errc::storage_full);

      std::filesystem::remove(root + "/other");
      log.batch({.size_bytes = 1000, .timestamp_ms = t0_ms + 5000});
      CHECK(test::try_append(*segment, log.back()));
      CHECK(test::visible(*segment) == log.bytes());
      CHECK(segment->seal());
      CHECK(test::read_file(segment->log_path()) == log.bytes());
    });
    if (!ran) MESSAGE("not run: mounting a tmpfs needs root");
  }
}
