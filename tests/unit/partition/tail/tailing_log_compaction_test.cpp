// Readers of another process while the writer exchanges segments under them.
#include <algorithm>

#include "support/random.hpp"
#include "unit/partition/compaction/compaction_fixture.hpp"
#include "unit/partition/tail/tailing_log_fixture.hpp"

namespace seriatim::test {
namespace {

using partition::FetchCursor;
using partition::FetchedBatch;

void append_some(CompactionFixture& f, Random& random) {
  for (auto n = random.between(5, 40); n > 0; --n)
    f.put("key-" + std::to_string(random.between(0, 9)), random.text(8));
  f.store_checkpoint();
}

TEST_CASE(
    "INV-9: a tailing log's reader keeps what it holds while segments are compacted, and misses nothing that "
    "is "
    "left") {
  Random random("tailing log across compaction");
  CompactionFixture f(600);
  append_some(f, random);
  PartitionWorld other;
  const auto tailing = follow(other, f.request);
  for (int round = 0; round < 12; ++round) {
    must(tailing->refresh());
    const auto known = rows_of(tailing);
    const Offset stop =
        known[static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(known.size()) - 1))]
            .offset;
    CAPTURE(stop);
    FetchCursor cursor(tailing);
    must(cursor.seek(stop));
    FetchedBatch batch;
    REQUIRE(must(cursor.peek(tailing->high_watermark(), true, batch)) == FetchCursor::Step::batch);
    const std::vector<std::byte> copy(batch.bytes.begin(), batch.bytes.end());
    f.compact({.force = true});
    CHECK(std::equal(copy.begin(), copy.end(), batch.bytes.begin(), batch.bytes.end()));
    const auto read = rows_from(cursor);
    for (const Row& row : f.rows()) {
      if (row.offset >= stop) CHECK(std::find(read.begin(), read.end(), row) != read.end());
    }
    append_some(f, random);
  }
}

TEST_CASE(
    "after a look at the directory a tailing log has the compacted segments, byte for byte the writer's") {
  Random random("tailing log after compaction");
  CompactionFixture f(600);
  PartitionWorld other;
  const auto tailing = follow(other, f.request);
  for (int round = 0; round < 12; ++round) {
    append_some(f, random);
    if (random.one_in(2)) must(tailing->refresh());
    f.compact({.force = true});
    if (random.one_in(3)) f.set_segment_bytes(random.between(600, 3'000));
    must(tailing->reload());
    CHECK(rows_of(tailing) == f.rows());
    CHECK(tailing->log_end_offset() == f.partition->log_end_offset());
    CHECK(tailing->segments().load()->size() == f.segment_count());
  }
}

TEST_CASE("a tailing log whose segments were compacted and then trimmed away begins at the new log start") {
  Random random("tailing log after compaction and retention");
  CompactionFixture f(600);
  append_some(f, random);
  PartitionWorld other;
  const auto tailing = follow(other, f.request);
  f.compact({.force = true});
  append_some(f, random);
  f.seal_all();
  f.put("last", "one");
  must(f.partition->advance_log_start(f.partition->log_end_offset() - 1));
  REQUIRE(must(f.partition->apply_retention()).segments > 0);
  must(tailing->reload());
  CHECK(tailing->log_start_offset() == f.segment_bases().front());
  CHECK(rows_of(tailing) == f.rows());
}

}  // namespace
}  // namespace seriatim::test
