// A tailing log of a directory, and of a catalog, that its writer is changing.
#include <algorithm>

#include "partition/segment_retry.hpp"
#include "support/random.hpp"
#include "unit/partition/compaction/compaction_fixture.hpp"
#include "unit/partition/tail/tailing_log_fixture.hpp"

namespace seriatim::test {
namespace {

using partition::FetchCursor;
using partition::FetchedBatch;
using partition::TailingLog;

void append_for_exchange(CompactionFixture& f, Random& random) {
  for (auto n = random.between(5, 40); n > 0; --n)
    f.put("key-" + std::to_string(random.between(0, 9)), random.text(8));
  f.store_checkpoint();
}

TEST_CASE("at any step of an exchange a tailing log reads what is right, or is told that it will be soon") {
  Random random("tailing log at the steps of an exchange");
  CompactionFixture f(600);
  int told = 0;
  for (int round = 0; round < 60; ++round) {
    append_for_exchange(f, random);
    PartitionWorld other;
    const auto tailing = follow(other, f.request);
    const auto before = newest_values(f.rows());
    auto steps = random.between(0, 60);
    f.vfs.before_step = [&] {
      if (--steps != 0) return;
      other.clock.advance_ms(1'100);
      REQUIRE(tailing->refresh());
      FetchCursor cursor(tailing);
      FetchedBatch batch;
      std::vector<std::byte> scratch;
      std::map<std::string, std::string> values;
      auto outcome = cursor.seek(tailing->log_start_offset());
      while (outcome) {
        auto step = cursor.peek(tailing->high_watermark(), true, batch);
        if (!step) outcome = step.error();
        if (!step || *step == FetchCursor::Step::end) break;
        auto records =
            partition::records_of(batch.header, must(partition::record_section(*tailing, batch, scratch)));
        format::DecodedRecord record;
        while (records.next(record) == format::RecordCursor::Step::record)
          values[*text_of(record.key)] = *text_of(record.value);
        cursor.advance(batch);
      }
      if (outcome) {
        CHECK(values == before);
      } else {
        ++told;
        CHECK(partition::may_be_stale(outcome.error()));
        CHECK(tailing->is_changing());
      }
    };
    f.compact({.force = true});
    f.vfs.before_step = nullptr;
    must(tailing->reload());
    CHECK_FALSE(tailing->is_changing());
    CHECK(newest_values(rows_of(tailing)) == before);
  }
  CHECK(told > 0);
}

TEST_CASE("an exchange that its writer left unfinished is not taken for what is there") {
  Random random("an unfinished exchange");
  CompactionFixture f(600);
  while (f.segment_count() < 4) append_for_exchange(f, random);
  PartitionWorld other;
  const auto tailing = follow(other, f.request);
  const auto bases = f.segment_bases();
  REQUIRE(bases.size() > 2);
  std::filesystem::rename(f.path(bases[0]), f.path(bases[0], format::FileKind::log, format::FileState::swap));
  must(tailing->reload());
  CHECK(tailing->is_changing());
  other.clock.advance_ms(20'000);
  CHECK_FALSE(tailing->is_changing());
  PartitionWorld third;
  auto fresh = TailingLog::open(
      third.environment, {.name = f.request.name, .directory = f.request.directory, .may_have_gaps = true});
  REQUIRE_FALSE(fresh);
  CHECK(says(fresh.error().message(), {"exchanged", "open the directory for writing"}));
}

TEST_CASE("an index that stays missing is told by its name, and is not waited for without end") {
  for (const auto kind : {format::FileKind::offset_index, format::FileKind::time_index}) {
    Random random("a missing index");
    CompactionFixture f(600);
    while (f.segment_count() < 4) append_for_exchange(f, random);
    const std::string missing = f.path(f.segment_bases()[1], kind);
    REQUIRE(std::filesystem::remove(missing));
    PartitionWorld other;
    const auto opened = TailingLog::open(
        other.environment, {.name = f.request.name, .directory = f.request.directory, .may_have_gaps = true});
    REQUIRE_FALSE(opened);
    CHECK(says(opened.error().message(), {missing, "repair"}));
  }
}

TEST_CASE("the log start of the catalog is taken as far as the log reaches") {
  ReaderFixture fixture;
  for (int i = 0; i < 5; ++i) fixture.append();
  PartitionWorld other;
  partition::PartitionCheckpoint stored;
  const auto tailing =
      must(TailingLog::open(other.environment, {.name = fixture.request.name,
                                                .directory = fixture.request.directory,
                                                .stored = [&] { return std::optional(stored); }}));
  stored.log_start_offset = 3;
  must(tailing->look_at_log_start());
  CHECK(tailing->log_start_offset() == 3);
  stored.log_start_offset = 8;
  must(tailing->look_at_log_start());
  CHECK(tailing->log_start_offset() == 5);
  for (int i = 0; i < 5; ++i) fixture.append();
  must(tailing->refresh());
  CHECK(tailing->log_start_offset() == 8);
}

TEST_CASE("what the catalog cannot say now does not take away what is known") {
  ReaderFixture fixture;
  fixture.append();
  PartitionWorld other;
  bool fails = false;
  const auto tailing = must(TailingLog::open(
      other.environment, {.name = fixture.request.name,
                          .directory = fixture.request.directory,
                          .stored = [&]() -> Result<std::optional<partition::PartitionCheckpoint>> {
                            if (fails) return Error(Errc::io_error, "no catalog");
                            return std::optional<partition::PartitionCheckpoint>();
                          }}));
  fails = true;
  CHECK(tailing->reload().error().code() == Errc::io_error);
  CHECK(tailing->log_end_offset() == 1);
  fails = false;
  fixture.append();
  must(tailing->reload());
  CHECK(tailing->log_end_offset() == 2);
}

}  // namespace
}  // namespace seriatim::test
