#include "partition/compaction/compaction.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "support/random.hpp"
#include "unit/format/examples.hpp"
#include "unit/partition/compaction/compaction_fixture.hpp"

namespace seriatim::test {
namespace {

void append_random(CompactionFixture& f, Random& random, int batches) {
  constexpr std::array codecs{format::Codec::none, format::Codec::gzip, format::Codec::snappy,
                              format::Codec::lz4, format::Codec::zstd};
  for (int i = 0; i < batches; ++i) {
    std::vector<std::pair<Text, Text>> records;
    for (auto n = random.between(1, 6); n > 0; --n) {
      const Text key = random.one_in(20) ? Text() : Text("key-" + std::to_string(random.between(0, 30)));
      records.emplace_back(key, random.one_in(8)
                                    ? Text()
                                    : Text(random.text(static_cast<std::size_t>(random.between(0, 40)))));
    }
    f.world->clock.advance_ms(random.between(0, 3));
    f.put(records, {.codec = codecs[static_cast<std::size_t>(random.between(0, 4))]});
  }
}

TEST_CASE(
    "the newest record of every key survives in its place, and no other, over any number of segments, passes "
    "and restarts") {
  Random random("compaction against a model");
  for (int round = 0; round < 6; ++round) {
    CompactionFixture f(random.between(800, 3'000));
    std::vector<Row> expected;
    for (int pass = 0; pass < 4; ++pass) {
      const Offset before = f.partition->log_end_offset();
      append_random(f, random, static_cast<int>(random.between(10, 80)));
      for (const Row& row : f.rows()) {
        if (row.offset >= before) expected.push_back(row);
      }
      REQUIRE(f.rows() == expected);
      f.store_checkpoint();
      const Offset sealed_end = f.segment_bases().back();
      const auto result = f.compact({.force = true});
      if (!result.ran) continue;
      CHECK(result.compacted_to == sealed_end);
      expected = compacted(expected, sealed_end);
      REQUIRE(f.rows() == expected);
      CHECK_FALSE(f.has_leftovers());
      if (random.one_in(2)) f.store_checkpoint();
      if (random.one_in(2)) f.reopen_after_crash();
      REQUIRE(f.rows() == expected);
      CHECK_FALSE(f.partition->damage());
    }
  }
}

TEST_CASE("example L: a real run leaves Kafka's bytes of a batch that keeps only its tombstone") {
  WriterFixture f(100'000, CleanupPolicy::compact);
  f.request.checkpoint.log_start_offset = 100;
  f.open();
  f.world->clock.set_wall_ms(T);
  CHECK(f.put_batch(example_b()).base_offset == 100);
  f.seal_all();
  const auto result = f.compact({.force = true});
  CHECK(result.removed_records == 2);
  CHECK(to_hex(read_file(f.path(100))) == to_hex(example_l()));
}

TEST_CASE("example K: a real run leaves Kafka's remnant of a producer's last batch") {
  WriterFixture f(100'000, CleanupPolicy::compact);
  f.request.checkpoint.log_start_offset = 100;
  f.open();
  f.put_batch(example_b());
  f.put("user-1", "newer");
  f.seal_all();
  const auto before = read_file(f.path(100));
  CHECK(f.compact({.force = true}).removed_records == 3);
  auto expected = example_k();
  expected.insert(expected.end(), before.begin() + static_cast<std::ptrdiff_t>(example_b().size()),
                  before.end());
  CHECK(to_hex(read_file(f.path(100))) == to_hex(expected));
}

TEST_CASE("a producer's remnant goes once the producer has written again") {
  constexpr ProducerId producer = ProducerId{1} << 42;
  CompactionFixture f(100'000);
  const auto batch = [](Sequence sequence) {
    return make_batch({.producer_id = producer, .producer_epoch = 0, .sequence = sequence});
  };
  f.put_batch(batch(0));
  f.put("k", "newer");
  f.seal_all();
  f.compact({.force = true});
  CHECK(format::read_batch_header(read_file(f.path(0)).data()).record_count == 0);
  f.put_batch(batch(1));
  f.seal_all();
  f.compact({.force = true});
  const auto left = format::read_batch_header(read_file(f.path(0)).data());
  CHECK(left.base_sequence == 1);
  CHECK(offsets_of(f.rows()) == std::vector<Offset>{2});
}

TEST_CASE("who has written behind what is compacted, or is forgotten, leaves no remnant there") {
  constexpr ProducerId writes_on = ProducerId{1} << 42;
  constexpr ProducerId forgotten = writes_on + 1;
  CompactionFixture f(100'000);
  const auto put = [&](ProducerId producer, Sequence sequence) {
    f.put_batch(make_batch({.producer_id = producer, .producer_epoch = 0, .sequence = sequence}));
  };
  put(writes_on, 0);
  put(forgotten, 0);
  f.put("k", "newer");
  f.seal_all();
  put(writes_on, 1);
  f.compact({.force = true});
  CHECK(format::read_batch_header(read_file(f.path(0)).data()).producer_id == forgotten);
  REQUIRE(f.partition->expire_producers(std::numeric_limits<std::int64_t>::max()) == 2);
  f.compact({.force = true});
  CHECK(format::read_batch_header(read_file(f.path(0)).data()).producer_id == -1);
}

TEST_CASE(
    "a tombstone is seen for delete.retention.ms after the pass that met it, then goes with the next pass") {
  CompactionFixture f;
  f.put("a", "1");
  f.put("a", Text());
  f.put("b", "2");
  f.seal_all();
  f.compact({.force = true});
  CHECK(offsets_of(f.rows()) == std::vector<Offset>{1, 2});
  f.world->clock.advance_ms(day_ms - 1);
  f.compact({.force = true});
  CHECK(offsets_of(f.rows()) == std::vector<Offset>{1, 2});
  f.world->clock.advance_ms(1);
  CHECK(f.compact({.force = true}).removed_records == 1);
  CHECK(offsets_of(f.rows()) == std::vector<Offset>{2});
  CHECK(f.rows()[0].timestamp_ms == t0_ms);
}

TEST_CASE(
    "everything superseded goes at once after a roll, and what is left is one segment where it fits one") {
  CompactionFixture f(400);
  f.fill(12, 3);
  const auto values = newest_values(f.rows());
  f.seal_all();
  f.set_segment_bytes(100'000);
  const auto segments = f.segment_count() - 1;
  const auto result = f.compact({.force = true});
  CHECK(result.ran);
  CHECK(result.segments_before == segments);
  CHECK(result.segments_after == 1);
  CHECK(result.bytes_after < result.bytes_before);
  CHECK(f.rows().size() == 3);
  CHECK(newest_values(f.rows()) == values);
  CHECK(f.world->counters.compacted_away_records.value() == result.removed_records);
  CHECK(f.partition->size_bytes() <= 3 * 100);
}

TEST_CASE("a run tells what it reads and writes, asks again while it has to wait, and ends when it must") {
  CompactionFixture f(200'000);
  const std::string value(10'000, 'x');
  for (int i = 0; i < 40; ++i) f.put("k" + std::to_string(i % 2), value);
  must(f.partition->roll());
  f.store_checkpoint();
  std::uint64_t told = 0;
  int waits = 0;
  int left = 3;
  const auto stopped = f.compact({.should_stop = [&] { return left == 0; },
                                  .spend =
                                      [&](std::uint64_t) {
                                        --left;
                                        return false;
                                      }});
  CHECK_FALSE(stopped.ran);
  CHECK(left == 0);
  const auto done = f.compact({.spend = [&](std::uint64_t bytes) {
    told += bytes;
    // Every other question is one after a wait.
    return ++waits % 2 == 0;
  }});
  CHECK(done.ran);
  CHECK(waits > 2);
  // Twice what was there, but for the last bytes that are not asked for.
  CHECK(told > 2 * 400'000 - 64 * 1024);
}

TEST_CASE("with nothing dirty a run does nothing; the ratio says how much there is") {
  CompactionFixture f;
  CHECK(partition::dirty_ratio(*f.partition) == 0.0);
  CHECK_FALSE(f.compact().ran);
  f.fill(6, 3);
  CHECK(partition::dirty_ratio(*f.partition) == 0.0);  // nothing is below the stored recovery point
  f.store_checkpoint();
  CHECK(partition::dirty_ratio(*f.partition) == 1.0);
  CHECK(f.compact().ran);
  CHECK(partition::dirty_ratio(*f.partition) == 0.0);
  const auto names = f.file_names();
  const auto rows = f.rows();
  CHECK_FALSE(f.compact().ran);
  CHECK(f.file_names() == names);
  CHECK(f.rows() == rows);
  f.fill(f.segment_count() + 2, 3);
  f.store_checkpoint();
  const double ratio = partition::dirty_ratio(*f.partition);
  CHECK(ratio > 0.5);
  CHECK(ratio < 1.0);
}

TEST_CASE("a segment that loses nothing is not rewritten") {
  CompactionFixture f(100'000);
  for (int i = 0; i < 5; ++i) f.put("key-" + std::to_string(i), "1");
  f.seal_all();
  const auto id = must(must(os::posix_vfs().open(f.path(0), os::OpenMode::read))->id());
  const auto result = f.compact({.force = true});
  CHECK(result.ran);
  CHECK(result.segments_before == 0);
  CHECK(must(must(os::posix_vfs().open(f.path(0), os::OpenMode::read))->id()) == id);
  CHECK_FALSE(f.has_leftovers());
}

TEST_CASE("INV-9: compaction stays below the active segment and below the recovery point that is stored") {
  CompactionFixture f;
  f.fill(4, 2);
  const Offset stored = f.segment_bases().back();
  f.store_checkpoint();
  f.fill(8, 2);
  must(f.partition->sync());  // durable, but the catalog does not know
  const auto before = f.rows();
  CHECK(f.compact({.force = true}).compacted_to == stored);
  CHECK(f.rows() == compacted(before, stored));
}

TEST_CASE("min.compaction.lag.ms keeps young segments, and all that follow the first of them") {
  CompactionFixture f;
  f.request.config.min_compaction_lag_ms = 10'000;
  f.partition->set_config(f.request.config);
  f.fill(4, 2);
  f.seal_all();
  const Offset old_end = f.partition->log_end_offset();
  f.world->clock.advance_ms(8'000);
  f.fill(f.segment_count() + 2, 2);
  f.seal_all();
  CHECK_FALSE(f.compact({.force = true}).ran);
  f.world->clock.advance_ms(2'000);
  const auto before = f.rows();
  CHECK(f.compact({.force = true}).compacted_to == old_end);
  CHECK(f.rows() == compacted(before, old_end));
}

TEST_CASE(
    "a key map that is too small moves the end back; further passes do the rest, each within its memory") {
  CompactionFixture f(600);
  Random random("tiny key map");
  append_random(f, random, 60);
  f.seal_all();
  const auto all = f.rows();
  const Offset end = f.partition->log_end_offset();
  Offset reached = 0;
  int passes = 0;
  while (reached < end) {
    REQUIRE(++passes < 200);
    const auto result = f.compact({.key_map_bytes = 24 * 12});  // ten keys of thirty-one
    REQUIRE(result.ran);
    REQUIRE(result.compacted_to > reached);
    reached = result.compacted_to;
    CHECK(newest_values(f.rows()) == newest_values(all));
  }
  CHECK(passes > 2);
}

TEST_CASE("a key map that cannot hold one batch is refused with what to do, and nothing changes") {
  CompactionFixture f;
  f.put({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  f.seal_all();
  const auto compacted_now = f.try_compact({.force = true, .key_map_bytes = 24});
  REQUIRE_FALSE(compacted_now);
  CHECK(compacted_now.error().code() == Errc::invalid_argument);
  CHECK(says(compacted_now.error().message(), {"24 bytes", f.request.directory, "more memory"}));
  CHECK(f.rows().size() == 3);
  CHECK_FALSE(f.has_leftovers());
}

TEST_CASE(
    "INV-9: a reader keeps the bytes it holds and goes on into the merged segments, missing nothing that is "
    "left") {
  CompactionFixture f;
  f.fill(8, 4);
  f.store_checkpoint();
  const auto before = f.rows();
  for (const Offset stop : {Offset{0}, Offset{3}, before[before.size() / 2].offset}) {
    CAPTURE(stop);
    partition::FetchCursor cursor(f.partition);
    must(cursor.seek(stop));
    partition::FetchedBatch batch;
    REQUIRE(must(cursor.peek(f.partition->high_watermark(), true, batch)) ==
            partition::FetchCursor::Step::batch);
    const std::vector<std::byte> copy(batch.bytes.begin(), batch.bytes.end());
    f.compact({.force = true});
    CHECK(std::equal(copy.begin(), copy.end(), batch.bytes.begin(), batch.bytes.end()));
    const auto read = rows_from(cursor);
    const auto left = f.rows();
    for (const Row& row : left) {
      if (row.offset >= stop) CHECK(std::find(read.begin(), read.end(), row) != read.end());
    }
    CHECK(std::is_sorted(read.begin(), read.end(),
                         [](const Row& a, const Row& b) { return a.offset < b.offset; }));
    CHECK(newest_values(read) == newest_values(left));
    f.fill(f.segment_count() + 6, 4);
    f.store_checkpoint();
  }
}

TEST_CASE(
    "every offset can be sought after compaction; one that went is answered with the next that is left") {
  CompactionFixture f;
  f.fill(8, 5);
  f.seal_all();
  f.compact({.force = true});
  const auto rows = f.rows();
  for (Offset offset = 0; offset < f.partition->log_end_offset(); ++offset) {
    CAPTURE(offset);
    partition::FetchCursor cursor(f.partition);
    must(cursor.seek(offset));
    auto expected = rows;
    std::erase_if(expected, [&](const Row& row) { return row.offset < offset; });
    CHECK(rows_from(cursor) == expected);
  }
}

TEST_CASE(
    "a record of an aborted transaction goes, its marker stays, plain records around them are compacted") {
  CompactionFixture f(100'000);
  f.put("a", "old");
  f.put_batch(example_c());
  f.put_batch(example_e());
  f.put("a", "new");
  f.seal_all();
  CHECK(f.compact({.force = true}).removed_records == 2);
  CHECK(offsets_of(f.rows()) == std::vector<Offset>{3});
  auto marker = example_e();
  format::stamp_base_offset(marker.data(), 2);
  const auto log = read_file(f.path(0));
  CHECK(std::search(log.begin(), log.end(), marker.begin(), marker.end()) != log.end());
}

TEST_CASE("the merged segment is as old as the last of its sources, so that retention judges it rightly") {
  CompactionFixture f(400);
  f.fill(3, 2);
  f.seal_all();
  f.set_segment_bytes(100'000);
  const auto bases = f.segment_bases();
  for (std::size_t i = 0; i + 1 < bases.size(); ++i) {
    must(must(os::posix_vfs().open(f.path(bases[i]), os::OpenMode::read_write))
             ->set_modified_ms(t0_ms + static_cast<std::int64_t>(i)));
  }
  f.compact({.force = true});
  REQUIRE(f.segment_count() == 2);
  CHECK(f.partition->segments().load()->front()->modified_ms() ==
        t0_ms + static_cast<std::int64_t>(bases.size()) - 2);
}

TEST_CASE("merged segments stay within segment.bytes") {
  CompactionFixture f(1'000);
  f.fill(10, 40);
  f.seal_all();
  f.compact({.force = true});
  CHECK(f.segment_count() > 2);
  const auto segments = f.partition->segments().load();
  for (const auto& segment : *segments) CHECK(segment->end_position() <= 1'000);
}

TEST_CASE(
    "compaction and the log start: what lies below it stays hidden and goes with retention, whichever comes "
    "first") {
  CompactionFixture f;
  f.fill(6, 3);
  f.seal_all();
  const Offset start = f.segment_bases()[3] + 1;
  must(f.partition->advance_log_start(start));
  const auto values = newest_values(f.rows());
  f.compact({.force = true});
  CHECK(f.rows().front().offset >= start);
  CHECK(newest_values(f.rows()) == values);
  must(f.partition->apply_retention());
  CHECK(newest_values(f.rows()) == values);
  f.store_checkpoint();
  f.reopen_after_crash();
  CHECK(f.partition->log_start_offset() >= start);
  CHECK(newest_values(f.rows()) == values);
}

}  // namespace
}  // namespace seriatim::test
