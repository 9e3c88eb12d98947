#include "partition/recovery/partition_recovery.hpp"

#include "support/random.hpp"
#include "unit/partition/writer_fixture.hpp"

namespace seriatim::test {
namespace {

namespace fs = std::filesystem;
using format::FileKind;

void append_bytes(const std::string& path, base::ByteSpan bytes) {
  auto file = must(os::posix_vfs().open(path, os::OpenMode::read_write));
  must(file->write_at(bytes, must(file->size())));
}

TEST_CASE("after the death of the process everything that was appended is there") {
  for (const bool mapped_writes : {true, false}) {
    CAPTURE(mapped_writes);
    WriterFixture f(400);
    f.request.mapped_writes = mapped_writes;
    f.open();
    f.fill(4, 3);
    const auto rows = f.rows();
    f.reopen_after_crash();
    CHECK(f.rows() == rows);
    CHECK_FALSE(f.partition->damage());
    CHECK(f.put("a", "1").base_offset == static_cast<Offset>(rows.size()));
  }
}

TEST_CASE("INV-5: recovering again finds the same") {
  WriterFixture f(400);
  f.open();
  f.fill(4, 3);
  const auto rows = f.rows();
  const auto bases = f.segment_bases();
  for (int i = 0; i < 3; ++i) {
    f.reopen_after_crash();
    CHECK(f.rows() == rows);
    CHECK(f.segment_bases() == bases);
  }
}

struct Interrupted {
  const char* what;
  std::uint64_t damaged_position;  // in the first of four segments of two batches of 100 bytes
  std::size_t records_left;
};

// Whether the recovery was made to fail at `step`; recovers again and checks what is left.
bool dies_at(const Interrupted& wanted, int step) {
  CAPTURE(std::string(wanted.what));
  CAPTURE(step);
  WriterFixture f(250);
  f.open();
  for (int i = 0; i < 7; ++i) f.put_batch(make_batch({.size_bytes = 100}));
  const auto rows = f.rows();
  f.die();
  overwrite(f.path(0), wanted.damaged_position, "\xFF\xFE\xFD");
  fs::remove(f.path(0, FileKind::offset_index));
  f.world = std::make_unique<WriterWorld>(f.vfs);
  f.vfs.fail_after(step);
  const bool opened = partition::Partition::open(f.world->environment, f.request).ok();
  const bool failed = f.vfs.has_failed();
  CHECK(opened == !failed);
  f.vfs.heal();
  f.reopen_after_crash();
  const auto left = f.rows();
  REQUIRE(left.size() == wanted.records_left);
  CHECK(std::equal(left.begin(), left.end(), rows.begin()));
  const bool was_cut = left.size() < rows.size();
  CHECK(fs::exists(f.path(2) + ".damaged") == was_cut);
  CHECK(fs::exists(f.path(6) + ".damaged") == was_cut);
  return failed;
}

TEST_CASE("INV-5: a recovery that dies at any step is repeated by the next one") {
  for (const auto& wanted :
       {Interrupted{"a sealed segment with a tail", 300, 7}, Interrupted{"one that has to be cut", 170, 1}}) {
    int step = 0;
    while (dies_at(wanted, step)) REQUIRE(++step < 200);
    CHECK(step > 5);
  }
}

TEST_CASE("a torn tail is cut, erased and no damage; the log goes on where it ended") {
  Random random("torn tail");
  for (int round = 0; round < 20; ++round) {
    WriterFixture f(100'000);
    f.open();
    for (int i = 0; i < 5; ++i) f.put("a", std::to_string(i));
    const auto rows = f.rows();
    const auto size = f.partition->size_bytes();
    f.close();
    f.request.checkpoint = {};
    const auto torn = make_batch({.size_bytes = 300});
    append_bytes(f.path(0), base::ByteSpan(torn).first(static_cast<std::size_t>(random.between(1, 299))));
    f.reopen_after_crash();
    CHECK(f.rows() == rows);
    CHECK_FALSE(f.partition->damage());
    CHECK(f.partition->size_bytes() == size);
    CHECK(fs::file_size(f.path(0)) == size);
    CHECK(f.put("b", "new").base_offset == 5);
    f.reopen_after_crash();
    CHECK(f.rows().size() == 6);
  }
}

TEST_CASE("a valid batch that lay behind a torn one does not come back behind later appends") {
  WriterFixture f(100'000);
  f.open();
  f.put_batch(make_batch({.size_bytes = 100, .value = "first"}));
  f.put_batch(make_batch({.size_bytes = 100}));
  f.put_batch(make_batch({.size_bytes = 100}));
  f.die();
  overwrite(f.path(0), 100 + format::records_at, "\xFF\xFE\xFD");
  f.reopen_after_crash();
  CHECK(offsets_of(f.rows()) == std::vector<Offset>{0});
  CHECK(f.put_batch(make_batch({.size_bytes = 100})).base_offset == 1);
  f.reopen_after_crash();
  CHECK(offsets_of(f.rows()) == std::vector<Offset>{0, 1});
}

TEST_CASE(
    "damage below the recovery point is contained: reported with its place, nothing cut, the rest readable") {
  WriterFixture f(100'000);
  f.open();
  for (int i = 0; i < 4; ++i) f.put_batch(make_batch({.size_bytes = 100}));
  f.store_checkpoint();
  f.put_batch(make_batch({.size_bytes = 100}));
  f.die();
  overwrite(f.path(0), 100 + format::length_at, std::string_view("\x7F\xFF\xFF\xFF", 4));
  fs::remove(f.path(0, FileKind::offset_index));  // so that the damage is met
  const auto bytes = read_file(f.path(0));
  f.reopen_after_crash();
  REQUIRE(f.partition->damage());
  CHECK(says(*f.partition->damage(), {f.path(0), "position 100", "seriatim verify"}));
  CHECK(f.partition->log_end_offset() == 5);
  const auto after = read_file(f.path(0));
  CHECK(std::equal(bytes.begin(), bytes.begin() + 500, after.begin()));
  partition::FetchCursor cursor(f.partition);
  must(cursor.seek(4));
  CHECK(offsets_of(rows_from(cursor)) == std::vector<Offset>{4});
  CHECK(f.put("a", "1").base_offset == 5);
}

// The offsets that can be read of a log that has lost records. Where some are missing a reader must be told,
// once, and goes on from where the error says.
std::vector<Offset> offsets_around_holes(const partition::PartitionLogPtr& log, int holes) {
  std::vector<Offset> offsets;
  partition::FetchCursor cursor(log);
  must(cursor.seek(log->log_start_offset()));
  partition::FetchedBatch batch;
  for (;;) {
    const auto step = cursor.peek(log->high_watermark(), true, batch);
    if (step && *step == partition::FetchCursor::Step::end) break;
    if (step) {
      offsets.push_back(batch.header.base_offset);
      cursor.advance(batch);
      continue;
    }
    --holes;
    const Offset from = cursor.next_offset();
    const auto list = log->segments().load();
    const Offset resume = (*list)[list->find(from) + 1]->base_offset();
    CHECK(step.error().code() == Errc::corrupt_record);
    CHECK(says(step.error().message(), {"offset " + std::to_string(from) + " of", "are missing",
                                        "seek to offset " + std::to_string(resume), "seriatim verify"}));
    must(cursor.seek(resume));
  }
  CHECK(holes == 0);
  return offsets;
}

TEST_CASE("INV-3: offsets of durable records that were lost are not given out again, and the loss is told") {
  struct Case {
    const char* what;
    std::uint64_t left_bytes;  // of a log of 600
    std::vector<Offset> readable;
  };
  for (const Case& row :
       {Case{"all", 0, {}}, Case{"half a batch", 150, {0}}, Case{"whole batches", 300, {0, 1, 2}}}) {
    CAPTURE(std::string(row.what));
    WriterFixture f(100'000);
    f.open();
    for (int i = 0; i < 6; ++i) f.put_batch(make_batch({.size_bytes = 100}));
    f.store_checkpoint();
    f.die();
    fs::resize_file(f.path(0), row.left_bytes);
    f.reopen_after_crash();
    REQUIRE(f.partition->damage());
    CHECK(says(*f.partition->damage(), {f.path(0), "up to offset 6", "lost"}));
    CHECK(f.partition->log_end_offset() == 6);
    CHECK(offsets_around_holes(f.partition, 1) == row.readable);
    CHECK(f.put("new", "1").base_offset == 6);
    auto expected = row.readable;
    expected.push_back(6);
    CHECK(offsets_around_holes(f.partition, 1) == expected);
    // Killed before a checkpoint could say so: what was appended behind the loss stays.
    f.reopen_after_crash();
    CHECK(offsets_around_holes(f.partition, 1) == expected);
    CHECK(f.put("new", "2").base_offset == 7);
    f.store_checkpoint();
    f.reopen_after_crash();
    expected.push_back(7);
    CHECK(offsets_around_holes(f.partition, 1) == expected);
    // It stays known for as long as the records are missing.
    CHECK(says(f.partition->damage().value_or(""), {f.path(0), "next segment begins with offset 6"}));
  }
}

TEST_CASE("INV-3: also if the whole file of the recovery point is gone, or everything") {
  for (const bool everything : {false, true}) {
    CAPTURE(everything);
    WriterFixture f(250);
    f.open();
    for (int i = 0; i < 5; ++i) f.put_batch(make_batch({.size_bytes = 100}));
    f.store_checkpoint();
    REQUIRE(f.segment_bases() == std::vector<Offset>{0, 2, 4});
    f.die();
    if (everything) {
      fs::remove_all(f.request.directory);
    } else {
      fs::remove(f.path(4));
    }
    f.reopen_after_crash();
    REQUIRE(f.partition->damage());
    CHECK(says(*f.partition->damage(), {f.path(4), "missing", "offset 5"}));
    CHECK(f.put("new", "1").base_offset == 5);
    CHECK(offsets_around_holes(f.partition, everything ? 0 : 1) ==
          (everything ? std::vector<Offset>{5} : std::vector<Offset>{0, 1, 2, 3, 5}));
  }
}

TEST_CASE("a segment file that retention deleted before the catalog heard of it is no damage") {
  WriterFixture f(250);
  f.open();
  for (int i = 0; i < 2; ++i) f.put_batch(make_batch({.size_bytes = 100}));
  f.store_checkpoint();
  for (int i = 0; i < 4; ++i) f.put_batch(make_batch({.size_bytes = 100}));
  must(f.partition->advance_log_start(4));
  must(f.partition->apply_retention());
  f.reopen_after_crash();
  CHECK_FALSE(f.partition->damage());
  CHECK(f.partition->log_start_offset() == 4);
  CHECK(offsets_of(f.rows()) == std::vector<Offset>{4, 5});
}

TEST_CASE("what follows a segment that had to be cut is moved aside, not deleted, and said so") {
  WriterFixture f(250);
  f.open();
  for (int i = 0; i < 5; ++i) f.put_batch(make_batch({.size_bytes = 100}));
  REQUIRE(f.segment_bases() == std::vector<Offset>{0, 2, 4});
  f.die();
  const auto second = read_file(f.path(2));
  overwrite(f.path(0), 100 + format::records_at, "\xFF\xFE\xFD");  // nothing was ever synced
  f.reopen_after_crash();
  CHECK(offsets_of(f.rows()) == std::vector<Offset>{0});
  CHECK(f.segment_bases() == std::vector<Offset>{0});
  CHECK(read_file(f.path(2) + ".damaged") == second);
  CHECK(fs::exists(f.path(4) + ".damaged"));
  CHECK(std::any_of(f.world->reports.begin(), f.world->reports.end(), [&](const std::string& line) {
    return says(line, {f.path(2), ".damaged"});
  }));
  CHECK(f.put("a", "1").base_offset == 1);
}

TEST_CASE("a sealed segment that lost its end is damage where it was durable, else the log ends there") {
  for (const bool was_durable : {true, false}) {
    for (const std::uint64_t left_bytes : {0U, 100U}) {
      CAPTURE(was_durable);
      CAPTURE(left_bytes);
      WriterFixture f(250);
      f.open();
      for (int i = 0; i < 5; ++i) f.put_batch(make_batch({.size_bytes = 100}));
      REQUIRE(f.segment_bases() == std::vector<Offset>{0, 2, 4});
      if (was_durable) f.store_checkpoint();
      f.die();
      fs::resize_file(f.path(2), left_bytes);
      f.reopen_after_crash();
      std::vector<Offset> expected{0, 1};
      if (left_bytes > 0) expected.push_back(2);
      if (was_durable) {
        expected.push_back(4);
        CHECK(says(f.partition->damage().value_or(""), {f.path(2), "next segment begins with offset 4"}));
        CHECK(offsets_around_holes(f.partition, 1) == expected);
        CHECK(f.put("a", "1").base_offset == 5);
      } else {
        CHECK(offsets_around_holes(f.partition, 0) == expected);
        CHECK(fs::exists(f.path(4) + ".damaged"));
        CHECK(f.put("a", "1").base_offset == expected.back() + 1);
      }
    }
  }
}

TEST_CASE("where compaction may leave gaps, one above the recovery point still ends the log") {
  WriterFixture f(250, CleanupPolicy::compact);
  f.open();
  for (int i = 0; i < 5; ++i) f.put_batch(make_batch({.size_bytes = 100}));
  REQUIRE(f.segment_bases() == std::vector<Offset>{0, 2, 4});
  f.die();
  fs::resize_file(f.path(2), 0);
  f.reopen_after_crash();
  CHECK(offsets_of(f.rows()) == std::vector<Offset>{0, 1});
  CHECK(f.put("a", "1").base_offset == 2);
}

TEST_CASE("records below the log start that a crash took are missed by nobody") {
  WriterFixture f(100'000);
  f.open();
  for (int i = 0; i < 3; ++i) f.put_batch(make_batch({.size_bytes = 100}));
  f.die();
  fs::resize_file(f.path(0), 100);
  f.request.checkpoint.log_start_offset = 3;
  for (int i = 0; i < 2; ++i) {
    f.reopen_after_crash();
    CHECK_FALSE(f.partition->damage());
    CHECK(f.segment_bases() == std::vector<Offset>{0, 3});
    CHECK(f.partition->log_end_offset() == 3);
    f.store_checkpoint();
  }
}

TEST_CASE("indexes without their log are removed, and an index that is missing is made again") {
  WriterFixture f(400);
  f.open();
  f.fill(3, 3);
  const auto rows = f.rows();
  f.store_checkpoint();
  f.die();
  write_file(f.path(77, FileKind::offset_index), base::as_bytes(std::string_view("orphan")));
  const auto index = read_file(f.path(0, FileKind::offset_index));
  REQUIRE_FALSE(index.empty());
  fs::remove(f.path(0, FileKind::offset_index));
  f.reopen_after_crash();
  CHECK_FALSE(fs::exists(f.path(77, FileKind::offset_index)));
  CHECK(read_file(f.path(0, FileKind::offset_index)) == index);
  CHECK(f.rows() == rows);
  CHECK_FALSE(f.partition->damage());
}

TEST_CASE(
    "the log start of the catalog holds, also in the middle of a segment and beyond a log that was lost") {
  WriterFixture f(400);
  f.open();
  f.fill(3, 3);
  must(f.partition->advance_log_start(4));
  f.close();
  f.open();
  CHECK(f.partition->log_start_offset() == 4);
  CHECK(f.rows().front().offset == 4);
  f.close();
  fs::remove_all(f.request.directory);
  f.request.checkpoint = {.log_start_offset = 50};
  f.open();
  CHECK(f.partition->log_start_offset() == 50);
  CHECK(f.put("a", "1").base_offset == 50);
}

TEST_CASE("a damaged producer snapshot is moved aside and the one before it taken") {
  constexpr ProducerId producer = ProducerId{1} << 42;
  WriterFixture f(100'000);
  f.open();
  f.put_batch(make_batch({.producer_id = producer, .producer_epoch = 0, .sequence = 0}));
  must(f.partition->roll());
  f.put_batch(make_batch({.producer_id = producer, .producer_epoch = 0, .sequence = 1}));
  f.close();
  overwrite(f.path(2, FileKind::snapshot), 12, "\x7F");
  f.open();
  CHECK(fs::exists(f.path(2, FileKind::snapshot) + ".damaged"));
  REQUIRE(f.world->reports.size() == 1);
  CHECK(says(f.world->reports[0], {f.path(2, FileKind::snapshot), "the snapshot before it"}));
}

TEST_CASE("producers are known again after a crash, from the snapshot and the batches behind it") {
  constexpr ProducerId producer = ProducerId{1} << 42;
  WriterFixture f(100'000);
  f.open();
  f.put_batch(make_batch({.producer_id = producer, .producer_epoch = 0, .sequence = 0}));
  must(f.partition->roll());
  f.put_batch(make_batch({.producer_id = producer + 1, .producer_epoch = 3, .sequence = 9}));
  f.reopen_after_crash();
  f.close();
  const auto entries = must(format::parse_producer_snapshot(read_file(f.path(2, FileKind::snapshot))));
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].last_sequence == 0);
  CHECK(entries[1].producer_epoch == 3);
  CHECK(entries[1].last_sequence == 9);
}

}  // namespace
}  // namespace seriatim::test
