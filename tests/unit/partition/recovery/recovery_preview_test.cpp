#include "partition/recovery/recovery_preview.hpp"

#include "os/file/overlay_vfs.hpp"
#include "segment/segment_store.hpp"
#include "unit/partition/writer_fixture.hpp"

namespace seriatim::test {
namespace {

namespace fs = std::filesystem;
using segment::LastStop;

// The changes that the next open is going to make to the directory of a fixture whose writer died.
struct Preview {
  explicit Preview(WriterFixture& f)
      : overlay(f.vfs),
        files(overlay, 16),
        environment{.files = {overlay, files},
                    .maps = maps,
                    .clock = clock,
                    .health = health,
                    .counters = counters,
                    .report = [](bool, std::string_view) {}} {
    f.request.checkpoint.clean_end_offset = -1;
    found = must(partition::preview_recovery(environment, f.request));
  }
  os::OverlayVfs overlay;
  os::FdCache files;
  segment::MapCache maps;
  base::ManualClock clock{t0_ms};
  partition::StorageHealth health;
  partition::PartitionCounters counters;
  partition::PartitionEnvironment environment;
  partition::RecoveryPreview found;
};

std::map<std::string, std::vector<std::byte>> files_of(const WriterFixture& f) {
  std::map<std::string, std::vector<std::byte>> all;
  for (const std::string& name : f.file_names()) all[name] = read_file(f.request.directory + "/" + name);
  return all;
}

TEST_CASE("a preview says what the open does, and changes nothing") {
  for (const LastStop stop : {LastStop::power_cut, LastStop::kill}) {
    WriterFixture f(250);
    f.open();
    for (int i = 0; i < 7; ++i) f.put_batch(make_batch({.size_bytes = 100}));
    REQUIRE(f.segment_bases() == std::vector<Offset>{0, 2, 4, 6});
    f.die();
    f.request.stop = stop;
    overwrite(f.path(2), format::records_at, "\xFF\xFE\xFD");
    fs::remove(f.path(0, format::FileKind::offset_index));
    const auto before = files_of(f);
    const Preview preview(f);
    CHECK(files_of(f) == before);
    f.reopen_after_crash();
    CHECK(preview.found.damage.has_value() == f.partition->damage().has_value());
    std::set<Offset> offsets;
    for (Offset o = 0; o < 7; ++o) offsets.insert(o);
    for (const auto& taken : preview.found.taken) {
      for (Offset o = taken.first_offset; o >= 0 && o <= taken.last_offset; ++o) offsets.erase(o);
    }
    if (stop == LastStop::power_cut) {
      CHECK(offsets == std::set<Offset>{0, 1, 2});  // Of the batch that is damaged nothing can be told.
      CHECK(f.partition->log_end_offset() == 2);
      REQUIRE(preview.found.taken.size() == 3);
      CHECK(preview.found.taken[0].records == 2);  // The segments that follow are set aside first.
      CHECK(preview.found.taken[2].path == f.path(2));
      CHECK(preview.found.taken[2].records == 1);
    } else {
      CHECK(preview.found.taken.empty());
      CHECK(f.partition->log_end_offset() == 7);
    }
  }
}

TEST_CASE("after a preview its file system shows the logs as the open leaves them") {
  WriterFixture f(250);
  f.open();
  for (int i = 0; i < 5; ++i) f.put_batch(make_batch({.size_bytes = 100}));
  f.die();
  fs::resize_file(f.path(2), 150);
  Preview preview(f);
  const auto listing = must(segment::list_segments(preview.overlay, f.request.directory));
  f.reopen_after_crash();
  const auto bases = f.segment_bases();
  REQUIRE(listing.segments.size() == bases.size());
  for (std::size_t i = 0; i < bases.size(); ++i) CHECK(listing.segments[i].base_offset == bases[i]);
  CHECK(listing.segments.back().log_bytes == 100);
}

TEST_CASE("a partition that is as its close left it is not looked at") {
  WriterFixture f(250);
  f.open();
  for (int i = 0; i < 5; ++i) f.put_batch(make_batch({.size_bytes = 100}));
  f.close();
  const auto clean = f.request.checkpoint.clean_end_offset;
  CHECK_FALSE(Preview(f).found.is_clean);
  f.request.checkpoint.clean_end_offset = clean;
  os::OverlayVfs overlay(f.vfs);
  os::FdCache files(overlay, 16);
  WriterWorld world(f.vfs);
  const partition::PartitionEnvironment environment{.files = {overlay, files},
                                                    .maps = world.maps,
                                                    .clock = world.clock,
                                                    .health = world.health,
                                                    .counters = world.counters,
                                                    .report = [](bool, std::string_view) {}};
  CHECK(must(partition::preview_recovery(environment, f.request)).is_clean);
}

}  // namespace
}  // namespace seriatim::test
