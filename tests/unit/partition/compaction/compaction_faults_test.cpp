// Compaction over failing disks, damaged files and interruptions.
#include "unit/partition/compaction/compaction_fixture.hpp"

namespace seriatim::test {
namespace {

namespace fs = std::filesystem;

TEST_CASE(
    "a compaction that dies at any file operation leaves the old records or the new ones, never a mixture") {
  int step = 0;
  bool saw_old = false;
  bool saw_new = false;
  for (bool failed = true; failed; ++step) {
    CAPTURE(step);
    REQUIRE(step < 500);
    CompactionFixture f(600);
    f.fill(5, 2);
    f.seal_all();
    const auto before = f.rows();
    const auto after = compacted(before, f.partition->log_end_offset());
    f.vfs.fail_after(step);
    const auto result = f.try_compact({.force = true});
    failed = f.vfs.has_failed();
    f.vfs.heal();
    f.reopen_after_crash();
    const auto rows = f.rows();
    // Group by group: in front of some offset all is new, behind it all is old.
    bool matches = false;
    for (const Offset base : f.segment_bases()) {
      std::vector<Row> mixed;
      for (const Row& row : after) {
        if (row.offset < base) mixed.push_back(row);
      }
      for (const Row& row : before) {
        if (row.offset >= base) mixed.push_back(row);
      }
      matches = matches || mixed == rows;
    }
    CHECK(matches);
    CHECK(newest_values(rows) == newest_values(before));
    CHECK_FALSE(f.has_leftovers());
    CHECK_FALSE(f.partition->damage());
    saw_old = saw_old || rows == before;
    saw_new = saw_new || rows == after;
    // In any case the next run finishes the work.
    f.compact({.force = true});
    CHECK(f.rows() == after);
  }
  CHECK(saw_old);
  CHECK(saw_new);
  CHECK(step > 20);
}

TEST_CASE(
    "an exchange of files that was begun and failed stops everything until the partition is opened again") {
  bool saw_latch = false;
  bool saw_clean_failure = false;
  for (int step = 0; step < 60; ++step) {
    CAPTURE(step);
    CompactionFixture f(600);
    f.fill(4, 2);
    f.seal_all();
    const auto values = newest_values(f.rows());
    f.vfs.fail_after(step);
    const auto result = f.try_compact({.force = true});
    f.vfs.heal();
    if (result) continue;
    if (f.world->health.has_failed()) {
      saw_latch = true;
      CHECK(f.try_compact({.force = true}).error().code() == Errc::storage_failed);
      CHECK(f.try_put({{"a", "1"}}).error().code() == Errc::storage_failed);
      f.reopen_after_crash();
    } else {
      saw_clean_failure = true;
      f.compact({.force = true});  // the next try goes through
    }
    CHECK(newest_values(f.rows()) == values);
    CHECK_FALSE(f.partition->damage());
  }
  CHECK(saw_latch);
  CHECK(saw_clean_failure);
}

TEST_CASE("damage in what is to be compacted is reported with its place, and every segment stays as it was") {
  CompactionFixture f;
  f.fill(4, 2);
  f.seal_all();
  const Offset damaged = f.segment_bases()[1];
  overwrite(f.path(damaged), format::records_at + 2, "\xFF\xFE");
  const auto bytes = read_file(f.path(0));
  const auto result = f.try_compact({.force = true});
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == Errc::corrupt_record);
  CHECK(says(result.error().message(), {f.path(damaged), "position 0", "seriatim verify"}));
  CHECK(read_file(f.path(0)) == bytes);
  CHECK_FALSE(f.has_leftovers());
  CHECK(f.partition->checkpoint().compacted_to_offset == 0);
}

TEST_CASE("a pass that is asked to stop leaves no leftovers and counts as not run") {
  CompactionFixture f(600);
  f.fill(6, 2);
  f.seal_all();
  const auto values = newest_values(f.rows());
  for (int batches = 0; batches < 60; batches += 7) {
    CAPTURE(batches);
    int left = batches;
    const auto result = f.compact({.force = true, .should_stop = [&left] { return left-- <= 0; }});
    CHECK_FALSE(f.has_leftovers());
    CHECK(newest_values(f.rows()) == values);
    if (!result.ran) CHECK(f.partition->checkpoint().compacted_to_offset == 0);
  }
}

TEST_CASE("an empty segment that a lost file left behind is passed over") {
  CompactionFixture f(250);
  f.put_batch(make_batch({.size_bytes = 100}));
  f.put_batch(make_batch({.size_bytes = 100}));
  f.put_batch(make_batch({.size_bytes = 100}));
  f.store_checkpoint();
  f.die();
  REQUIRE(fs::file_size(f.path(2)) >= 100);
  fs::resize_file(f.path(2), 0);
  f.reopen_after_crash();
  REQUIRE(f.segment_bases() == std::vector<Offset>{0, 2, 3});
  for (int i = 0; i < 5; ++i) f.put_batch(make_batch({.size_bytes = 100}));
  f.seal_all();
  f.set_segment_bytes(101);  // every segment a group of its own
  f.compact({.force = true});
  CHECK(offsets_of(f.rows()) == std::vector<Offset>{7});
  f.reopen_after_crash();
  CHECK(offsets_of(f.rows()) == std::vector<Offset>{7});
}

}  // namespace
}  // namespace seriatim::test
