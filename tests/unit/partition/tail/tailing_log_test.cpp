#include "partition/tail/tailing_log.hpp"

#include "partition/read/fetch_cursor.hpp"
#include "partition/segment_retry.hpp"
#include "support/child_process.hpp"
#include "unit/partition/tail/tailing_log_fixture.hpp"
#include "unit/partition/writer_fixture.hpp"

namespace seriatim::test {
namespace {

using partition::FetchCursor;
using partition::FetchedBatch;
using partition::TailingLog;

std::vector<Offset> bases_of(const partition::PartitionLogPtr& log, Offset from) {
  FetchCursor cursor(log);
  if (from == log->high_watermark()) return {};
  must(cursor.seek(from));
  std::vector<Offset> bases;
  FetchedBatch batch;
  while (must(cursor.peek(log->high_watermark(), true, batch)) == FetchCursor::Step::batch) {
    bases.push_back(batch.header.base_offset);
    cursor.advance(batch);
  }
  return bases;
}

TEST_CASE("a tailing log sees what is appended, roll after roll, once it looks") {
  ReaderFixture fixture;
  PartitionWorld other;
  const auto tailing = follow(other, fixture.request);
  CHECK(tailing->log_end_offset() == 0);
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 1 + round % 7; ++i) fixture.append({.records = 1 + i % 3});
    must(tailing->refresh());
    CHECK(tailing->log_end_offset() == fixture.partition->log_end_offset());
    CHECK(tailing->segments().load()->size() == fixture.partition->segments().load()->size());
  }
  CHECK(fixture.partition->segments().load()->size() > 5);
  CHECK(bases_of(tailing, 0) == bases_of(fixture.partition, 0));
  other.clock.advance_ms(2'000);
  must(tailing->refresh());
  CHECK(bases_of(tailing, 0) == bases_of(fixture.partition, 0));
}

TEST_CASE("a reader that is in the middle of a followed segment goes on into the next") {
  ReaderFixture fixture;
  fixture.append();
  PartitionWorld other;
  const auto tailing = follow(other, fixture.request);
  FetchCursor cursor(tailing);
  must(cursor.seek(0));
  FetchedBatch batch;
  for (Offset expected = 0; expected < 100; ++expected) {
    if (expected == tailing->log_end_offset()) {
      for (int i = 0; i < 9; ++i) fixture.append();
      if (expected % 4 == 0) other.clock.advance_ms(2'000);
      must(tailing->refresh());
    }
    REQUIRE(must(cursor.peek(tailing->high_watermark(), true, batch)) == FetchCursor::Step::batch);
    REQUIRE(batch.header.base_offset == expected);
    cursor.advance(batch);
  }
}

TEST_CASE("a tailing log of a finished log sees all of it, sealed and trimmed") {
  ReaderFixture fixture;
  fixture.fill(4);
  const auto expected = bases_of(fixture.partition, 0);
  must(fixture.partition->close());
  PartitionWorld other;
  const auto tailing = follow(other, fixture.request);
  CHECK(bases_of(tailing, 0) == expected);
  CHECK(tailing->log_start_offset() == 0);
}

TEST_CASE("a partition that is not there yet is empty until its writer has made it") {
  TempDir temp;
  partition::PartitionRequest request{.name = {"topic", 0}, .directory = temp / "topic-0"};
  PartitionWorld other;
  const auto tailing = follow(other, request);
  must(tailing->refresh());
  CHECK(tailing->log_end_offset() == 0);
  PartitionWorld world;
  const auto writer = must(partition::Partition::open(world.environment, request));
  format::BatchBuilder builder;
  must(builder.append({.value = BytesView("v")}));
  must(writer->append(must(builder.frame({}))));
  must(tailing->refresh());
  CHECK(tailing->log_end_offset() == 1);
}

TEST_CASE("segments that retention deleted are forgotten, and pins keep their bytes") {
  ReaderFixture fixture;
  fixture.fill(4);
  PartitionWorld other;
  const auto tailing = follow(other, fixture.request);
  FetchCursor cursor(tailing);
  must(cursor.seek(0));
  FetchedBatch batch;
  REQUIRE(must(cursor.peek(tailing->high_watermark(), true, batch)) == FetchCursor::Step::batch);
  const Offset start = fixture.partition->segments().load()->back()->base_offset();
  fixture.delete_below(start);
  CHECK(format::crc_is_valid(batch.bytes));
  must(tailing->reload());
  CHECK(tailing->log_start_offset() == start);
  CHECK(tailing->segments().load()->size() == 1);
  CHECK(format::crc_is_valid(batch.bytes));
  CHECK(bases_of(tailing, start) == bases_of(fixture.partition, start));
}

TEST_CASE(
    "a partition that was deleted, or replaced by another of its name, counts as deleted and not as "
    "shorter") {
  for (const bool is_made_again : {false, true}) {
    CAPTURE(is_made_again);
    ReaderFixture fixture;
    for (int i = 0; i < 5; ++i) fixture.append();
    PartitionWorld other;
    const auto tailing = follow(other, fixture.request);
    CHECK(tailing->log_end_offset() == 5);
    fixture.partition->abandon();
    std::filesystem::rename(fixture.request.directory, fixture.temp / "gone");
    PartitionWorld world;
    std::shared_ptr<partition::Partition> second;
    if (is_made_again) {
      second = must(partition::Partition::open(world.environment, fixture.request));
      format::BatchBuilder builder;
      must(builder.append({.value = BytesView("other")}));
      for (int i = 0; i < 10; ++i) must(second->append(must(builder.frame({}))));
    }
    must(tailing->reload());
    CHECK(tailing->is_deleted());
    CHECK(tailing->log_end_offset() == 5);
  }
}

TEST_CASE("what a killed writer left unfinished is read as far as it is whole") {
  ReaderFixture fixture;
  fixture.fill(3);
  fixture.append();
  // The writer is gone without a word: files allocated ahead, and the last batch torn.
  const auto last = fixture.partition->segments().load()->back();
  overwrite(last->log_path(), last->end_position() - 3, "???");
  PartitionWorld other;
  const auto tailing = follow(other, fixture.request);
  CHECK(tailing->log_end_offset() == fixture.partition->log_end_offset() - 1);
  CHECK(bases_of(tailing, 0).size() == static_cast<std::size_t>(tailing->log_end_offset()));
}

TEST_CASE("a segment that its dead writer had not trimmed is read all the same") {
  ReaderFixture fixture;
  fixture.fill(2);
  const auto first = fixture.partition->segments().load()->front();
  const auto index = fixture.request.directory + "/" + format::file_name(0, format::FileKind::offset_index);
  std::filesystem::resize_file(first->log_path(), first->end_position() + 100'000);
  std::filesystem::resize_file(index, std::filesystem::file_size(index) + 4'096);
  PartitionWorld other;
  const auto tailing = follow(other, fixture.request);
  CHECK(bases_of(tailing, 0) == bases_of(fixture.partition, 0));
}

TEST_CASE("a log whose last segment was being made when its writer died ends with the segment before") {
  ReaderFixture fixture;
  fixture.append();
  std::ofstream(fixture.log_path(1)).close();
  PartitionWorld other;
  CHECK(follow(other, fixture.request)->log_end_offset() == 1);
}

TEST_CASE("what compaction puts in the place of segments is taken with the next look at the directory") {
  WriterFixture writer(1'000, CleanupPolicy::compact);
  writer.open();
  PartitionWorld other;
  const auto tailing = must(TailingLog::open(
      other.environment,
      {.name = writer.request.name, .directory = writer.request.directory, .may_have_gaps = true}));
  for (int pass = 0; pass < 3; ++pass) {
    for (int i = 0; i < 60; ++i)
      writer.put("key-" + std::to_string(i % 7), Text("value " + std::to_string(i)));
    must(tailing->refresh());
    CHECK(rows_of(tailing) == writer.rows());
    writer.seal_all();
    CHECK(writer.compact({.force = true}).removed_records > 0);
    // Until then, maps of what is gone may still serve a reader.
    must(tailing->reload());
    CHECK(rows_of(tailing) == writer.rows());
    CHECK(tailing->log_end_offset() == writer.partition->log_end_offset());
  }
}

TEST_CASE("while segments are being exchanged a tailing log keeps what it knows") {
  ReaderFixture fixture;
  fixture.fill(4);
  PartitionWorld other;
  const auto tailing = follow(other, fixture.request);
  const auto before = bases_of(tailing, 0);
  const auto first = fixture.log_path(0);
  std::filesystem::rename(first, fixture.request.directory + "/" +
                                     format::file_name(0, format::FileKind::log, format::FileState::swap));
  must(tailing->reload());
  CHECK(tailing->log_start_offset() == 0);
  CHECK(bases_of(tailing, fixture.partition->segments().load()->back()->base_offset()).size() > 0);
  std::filesystem::rename(
      fixture.request.directory + "/" + format::file_name(0, format::FileKind::log, format::FileState::swap),
      first);
  must(tailing->reload());
  CHECK(bases_of(tailing, 0) == before);
}

TEST_CASE("a second process reads everything that the first one writes while it writes it") {
  TempDir temp;
  partition::PartitionRequest request{.name = {"topic", 0}, .directory = temp / "topic-0"};
  request.config.segment_bytes = 4'000;
  constexpr Offset total = 2'000;
  ChildProcess child([&](const ChildProcess::Voice& voice) {
    PartitionWorld world;
    auto tailing =
        TailingLog::open(world.environment, {.name = request.name, .directory = request.directory});
    if (!tailing) return voice.say("open: " + tailing.error().message());
    voice.say("!");
    FetchCursor cursor(*tailing);
    FetchedBatch batch;
    for (Offset next = 0; next < total;) {
      if (auto looked = (*tailing)->refresh(); !looked)
        return voice.say("refresh: " + looked.error().message());
      world.clock.advance_ms(1);
      if (next == (*tailing)->high_watermark()) continue;
      if (!cursor.is_positioned()) {
        if (auto sought = cursor.seek(next); !sought) return voice.say("seek: " + sought.error().message());
      }
      auto step = cursor.peek((*tailing)->high_watermark(), true, batch);
      if (!step) return voice.say("peek: " + step.error().message());
      if (*step == FetchCursor::Step::end) continue;
      if (batch.header.base_offset != next) return voice.say("gap at " + std::to_string(next));
      cursor.advance(batch);
      ++next;
    }
    voice.say("read all");
  });
  CHECK(child.hear(1) == "!");
  PartitionWorld world;
  const auto writer = must(partition::Partition::open(world.environment, request));
  format::BatchBuilder builder;
  must(builder.append({.value = BytesView("a value of some length")}));
  for (Offset i = 0; i < total; ++i) must(writer->append(must(builder.frame({}))));
  CHECK(writer->segments().load()->size() > 10);
  CHECK(child.hear_all() == "read all");
}

}  // namespace
}  // namespace seriatim::test
