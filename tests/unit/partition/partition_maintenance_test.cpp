#include "unit/partition/writer_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("rolling an empty segment does nothing") {
  WriterFixture f;
  f.open();
  must(f.partition->roll());
  CHECK(f.segment_count() == 1);
  f.put("a", "1");
  must(f.partition->roll());
  must(f.partition->roll());
  CHECK(f.segment_bases() == std::vector<Offset>{0, 1});
}

TEST_CASE("the log start moves within the log only, never back, and hides what lies below") {
  WriterFixture f;
  f.open();
  for (int i = 0; i < 5; ++i) f.put("a", std::to_string(i));
  CHECK(f.partition->advance_log_start(6).error().code() == Errc::offset_out_of_range);
  must(f.partition->advance_log_start(3));
  must(f.partition->advance_log_start(1));
  CHECK(f.partition->log_start_offset() == 3);
  CHECK(offsets_of(f.rows()) == std::vector<Offset>{3, 4});
}

TEST_CASE(
    "retention deletes the files of whole segments, their snapshots too, and moves the log start to the "
    "first that is left") {
  WriterFixture f(300);
  f.request.config.retention_bytes = 500;
  f.open();
  f.fill(6, 3);
  const auto bases = f.segment_bases();
  const auto before = f.partition->size_bytes();
  const auto result = must(f.partition->apply_retention());
  CHECK(result.segments > 0);
  CHECK(f.partition->size_bytes() == before - result.bytes);
  CHECK(f.partition->size_bytes() >= 500);
  const Offset start = f.partition->log_start_offset();
  CHECK(f.segment_bases().front() == start);
  for (const Offset base : bases) {
    CAPTURE(base);
    CHECK(std::filesystem::exists(f.path(base)) == (base >= start));
    CHECK(std::filesystem::exists(f.path(base, format::FileKind::offset_index)) == (base >= start));
    CHECK(std::filesystem::exists(f.path(base, format::FileKind::snapshot)) == (base >= start && base > 0));
  }
  CHECK_FALSE(f.has_leftovers());
  CHECK(f.world->counters.deleted_segments.value() == result.segments);
  CHECK(f.world->counters.deleted_bytes.value() == result.bytes);
  CHECK(must(f.partition->apply_retention()).segments == 0);  // twice changes nothing
}

TEST_CASE("a deletion that fails on the way is gone on with by the next retention") {
  int failures = 0;
  for (int step = 0;; ++step) {
    CAPTURE(step);
    WriterFixture f(300);
    f.open();
    f.fill(6, 3);
    f.request.config.retention_bytes = 500;
    f.partition->set_config(f.request.config);
    f.vfs.fail_after(step, Errc::storage_full);
    const auto failed = f.partition->apply_retention();
    f.vfs.heal();
    if (failed) break;
    ++failures;
    if (failed.error().code() == Errc::storage_failed) continue;
    must(f.partition->apply_retention());
    CHECK_FALSE(f.has_leftovers());
    // No log is left but those of the list.
    std::vector<Offset> logs;
    for (const std::string& name : f.file_names()) {
      if (name.ends_with(".log")) logs.push_back(std::stoll(name));
    }
    CHECK(logs == f.segment_bases());
  }
  CHECK(failures > 10);
}

TEST_CASE("an expired active segment goes too: an empty one remains, and no offset is given out twice") {
  WriterFixture f;
  f.request.config.retention_ms = 1'000;
  f.open();
  f.put("a", "1");
  f.put("b", "2");
  f.world->clock.advance_ms(1'001);
  CHECK(must(f.partition->apply_retention()).segments == 1);
  CHECK(f.segment_bases() == std::vector<Offset>{2});
  CHECK(f.partition->log_start_offset() == 2);
  CHECK(f.partition->log_end_offset() == 2);
  CHECK(f.put("c", "3").base_offset == 2);
  f.reopen_after_crash();
  CHECK(offsets_of(f.rows()) == std::vector<Offset>{2});
  CHECK(f.partition->log_start_offset() == 2);
  CHECK_FALSE(f.partition->damage());
}

TEST_CASE(
    "INV-9: a reader that holds a deleted segment keeps its bytes, and its space is counted until it lets "
    "go") {
  WriterFixture f(300);
  f.open();
  f.fill(3, 3);
  partition::FetchCursor cursor(f.partition);
  must(cursor.seek(0));
  partition::FetchedBatch batch;
  REQUIRE(must(cursor.peek(f.partition->high_watermark(), true, batch)) ==
          partition::FetchCursor::Step::batch);
  const std::vector<std::byte> copy(batch.bytes.begin(), batch.bytes.end());
  must(f.partition->advance_log_start(f.partition->log_end_offset()));
  CHECK(must(f.partition->apply_retention()).segments == 2);
  CHECK(std::equal(copy.begin(), copy.end(), batch.bytes.begin(), batch.bytes.end()));
  CHECK(f.partition->pinned_deleted_bytes() > 0);
  cursor.reset();
  CHECK(f.partition->pinned_deleted_bytes() == 0);
}

TEST_CASE(
    "a swap that names the active segment, or segments that are gone, is refused before any file is "
    "touched") {
  WriterFixture f(300);
  f.open();
  f.fill(3, 3);
  const auto bases = f.segment_bases();
  bool touched = false;
  const auto touch = [&]() -> Result<> {
    touched = true;
    return {};
  };
  CHECK(f.partition->replace_segments(bases[1], bases[2] + 1, {}, touch).error().code() ==
        Errc::invalid_state);
  CHECK(f.partition->replace_segments(10'000, 20'000, {}, touch).error().code() == Errc::invalid_state);
  CHECK_FALSE(touched);
  CHECK(f.segment_bases() == bases);
}

TEST_CASE("if the files of a swap cannot be exchanged the list of segments stays") {
  WriterFixture f(300);
  f.open();
  f.fill(3, 3);
  const auto bases = f.segment_bases();
  const auto swapped = f.partition->replace_segments(
      bases[0], bases[1], {}, []() -> Result<> { return Error(Errc::io_error, "no"); });
  CHECK(swapped.error().code() == Errc::io_error);
  CHECK(f.segment_bases() == bases);
  CHECK_FALSE(f.partition->segments().load()->front()->is_deleted());
}

TEST_CASE("retention of a closed partition does nothing") {
  WriterFixture f(300);
  f.request.config.retention_bytes = 0;
  f.open();
  f.fill(3, 3);
  must(f.partition->close());
  CHECK(must(f.partition->apply_retention()).segments == 0);
  CHECK(std::filesystem::exists(f.path(0)));
}

}  // namespace
}  // namespace seriatim::test
