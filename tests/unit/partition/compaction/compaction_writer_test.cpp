#include "partition/compaction/compaction_writer.hpp"

#include "segment/recovery/segment_recovery.hpp"
#include "unit/partition/writer_fixture.hpp"

namespace seriatim::test {
namespace {

namespace fs = std::filesystem;
using format::FileKind;
using format::FileState;
using partition::CompactionWriter;

class OutputFixture {
 public:
  OutputFixture() { fs::create_directory(directory); }
  std::string path(FileKind kind, FileState state = FileState::live) const {
    return directory + "/" + format::file_name(base, kind, state);
  }
  std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& entry : fs::directory_iterator(directory))
      found.insert(entry.path().filename().string());
    return found;
  }
  void write(CompactionWriter& writer, const LogBuilder& batches) {
    for (const BuiltBatch& batch : batches.all()) must(writer.write(batch.header, batch.bytes));
  }

  static constexpr Offset base = 100;
  TempDir temp;
  FailingVfs vfs;
  os::FdCache files{vfs, 64};
  segment::SegmentContext context{vfs, files};
  std::string directory = temp / "topic-0";
  LogBuilder log = LogBuilder(base + 3)
                       .batches(20, {.size_bytes = 200})
                       .gap(5)
                       .batch({.size_bytes = 100'000})
                       .batches(9, {.size_bytes = 90'000});
};

TEST_CASE(
    "what was written is a whole segment: the same batches, Kafka's indexes, the age of its source, and no "
    "leftovers") {
  OutputFixture f;
  CompactionWriter writer(f.context, f.directory, f.base, 1'000);
  must(writer.open());
  f.write(writer, f.log);
  CHECK(writer.bytes() == f.log.size_bytes());
  must(writer.finish(t0_ms - 5'000));
  CHECK(f.names() == std::set<std::string>{format::file_name(f.base, FileKind::log, FileState::swap),
                                           format::file_name(f.base, FileKind::offset_index, FileState::swap),
                                           format::file_name(f.base, FileKind::time_index, FileState::swap)});
  must(writer.swap_in());
  CHECK(f.names() == std::set<std::string>{format::file_name(f.base, FileKind::log),
                                           format::file_name(f.base, FileKind::offset_index),
                                           format::file_name(f.base, FileKind::time_index)});
  CHECK(read_file(f.path(FileKind::log)) == f.log.bytes());
  CHECK(must(must(f.vfs.open(f.path(FileKind::log), os::OpenMode::read))->modified_ms()) == t0_ms - 5'000);

  const auto found = must(segment::scan_segment(f.context, {.directory = f.directory,
                                                            .base_offset = f.base,
                                                            .limits = {.index_interval_bytes = 1'000},
                                                            .is_sealed = true}));
  CHECK_FALSE(found.indexes_need_rebuild);
  const auto state = writer.state();
  CHECK(state.base_offset == f.base);
  CHECK(state.end_position == found.state.end_position);
  CHECK(state.end_offset == found.state.end_offset);
  CHECK(state.max_timestamp == found.state.max_timestamp);
  CHECK(state.first_timestamp_ms == found.state.first_timestamp_ms);
  CHECK(state.offset_index_entries == found.state.offset_index_entries);
  CHECK(state.time_index_entries == found.state.time_index_entries);
}

TEST_CASE("what an earlier pass left under the same names is replaced, also if it was longer") {
  OutputFixture f;
  for (const FileKind kind : {FileKind::log, FileKind::offset_index, FileKind::time_index}) {
    write_file(f.path(kind, FileState::cleaned), std::vector<std::byte>(2'000'000));
  }
  CompactionWriter writer(f.context, f.directory, f.base, 1'000);
  must(writer.open());
  const LogBuilder log = LogBuilder(f.base).batch();
  f.write(writer, log);
  must(writer.finish(-1));
  must(writer.swap_in());
  CHECK(read_file(f.path(FileKind::log)) == log.bytes());
  CHECK(fs::file_size(f.path(FileKind::offset_index)) == 0);
}

TEST_CASE("an abandoned output leaves nothing, before and after it was finished") {
  OutputFixture f;
  for (const bool finished : {false, true}) {
    CompactionWriter writer(f.context, f.directory, f.base, 1'000);
    must(writer.open());
    f.write(writer, f.log);
    if (finished) must(writer.finish(-1));
    must(writer.abandon());
    CHECK(f.names().empty());
  }
}

TEST_CASE("nothing bears a final name before the swap, wherever finishing fails") {
  int step = 0;
  for (bool failed = true; failed; ++step) {
    CAPTURE(step);
    REQUIRE(step < 100);
    OutputFixture f;
    CompactionWriter writer(f.context, f.directory, f.base, 1'000);
    must(writer.open());
    f.write(writer, f.log);
    f.vfs.fail_after(step, Errc::storage_full);
    failed = !writer.finish(-1);
    f.vfs.heal();
    for (const std::string& name : f.names()) CHECK((name.ends_with(".cleaned") || name.ends_with(".swap")));
    // A `.swap` log says that everything else is there too.
    if (fs::exists(f.path(FileKind::log, FileState::swap))) {
      CHECK(fs::exists(f.path(FileKind::offset_index, FileState::swap)));
      CHECK(fs::exists(f.path(FileKind::time_index, FileState::swap)));
      CHECK(read_file(f.path(FileKind::log, FileState::swap)) == f.log.bytes());
    }
    must(writer.abandon());
    CHECK(f.names().empty());
  }
  CHECK(step > 8);
}

}  // namespace
}  // namespace seriatim::test
