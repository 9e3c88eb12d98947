// Transactions in one partition: markers, the last stable offset, the index of aborted ones, and what a
// restart makes of them.
#include <filesystem>
#include <map>

#include "segment/segment_store.hpp"
#include "support/random.hpp"
#include "writer_fixture.hpp"

namespace seriatim::test {
namespace {

using format::AbortedTransaction;
using format::ControlType;

constexpr ProducerId first_producer = ProducerId{1} << 40;
constexpr ProducerId second_producer = first_producer + 1;

struct Transactions : WriterFixture {
  explicit Transactions(std::int64_t segment_bytes = 100'000) : WriterFixture(segment_bytes) { open(); }

  Offset send(ProducerId producer, ProducerEpoch epoch, Sequence sequence) {
    auto bytes = make_batch(
        {.producer_id = producer, .producer_epoch = epoch, .sequence = sequence, .transactional = true});
    return must(partition->append(format::framed_batch(bytes))).base_offset;
  }
  Offset mark(ControlType type, ProducerId producer, ProducerEpoch epoch) {
    return must(partition->append_marker(
                    {.type = type, .producer_id = producer, .producer_epoch = epoch, .timestamp_ms = t0_ms},
                    0))
        .base_offset;
  }
  Offset end(ControlType type, ProducerId producer, ProducerEpoch epoch) {
    const Offset at = mark(type, producer, epoch);
    partition->release_transaction(producer);
    return at;
  }
  Offset stable() const { return partition->last_stable_offset(); }
  std::vector<AbortedTransaction> aborted() const {
    std::vector<AbortedTransaction> found;
    const auto list = partition->segments().load();
    for (const auto& segment : *list) must(segment->transactions().collect(0, 1'000'000, found));
    return found;
  }
};

TEST_CASE("INV-1: an open transaction holds the last stable offset, for plain records behind it too") {
  Transactions f;
  f.put("k", "before");
  CHECK(f.stable() == 1);
  f.send(first_producer, 0, 0);
  f.put("k", "behind");
  CHECK(f.stable() == 1);
  CHECK(f.partition->high_watermark() == 3);
  f.send(second_producer, 0, 0);
  f.end(ControlType::commit, first_producer, 1);
  CHECK(f.stable() == 3);
  f.end(ControlType::abort, second_producer, 1);
  CHECK(f.stable() == f.partition->log_end_offset());
}

TEST_CASE("INV-8: a marker is seen when it is released, not when it is there") {
  Transactions f;
  f.send(first_producer, 0, 0);
  f.mark(ControlType::commit, first_producer, 1);
  CHECK(f.partition->log_end_offset() == 2);
  CHECK(f.stable() == 0);
  f.partition->release_transaction(first_producer);
  CHECK(f.stable() == 2);
}

TEST_CASE("the index tells of aborted transactions that wrote, with the last stable offset after each") {
  Transactions f;
  f.send(first_producer, 0, 0);   // 0
  f.send(second_producer, 0, 0);  // 1
  f.end(ControlType::abort, second_producer, 1);
  f.end(ControlType::abort, first_producer, 1);
  f.end(ControlType::abort, first_producer, 2);  // nothing was open
  f.send(first_producer, 2, 0);                  // 5
  f.end(ControlType::commit, first_producer, 3);
  const std::vector<AbortedTransaction> expected{{second_producer, 1, 2, 0}, {first_producer, 0, 3, 4}};
  CHECK(f.aborted() == expected);
}

TEST_CASE("a late batch of an ended transaction is refused, and so is a late marker") {
  Transactions f;
  f.send(first_producer, 0, 0);
  f.end(ControlType::commit, first_producer, 1);
  auto late =
      make_batch({.producer_id = first_producer, .producer_epoch = 0, .sequence = 1, .transactional = true});
  const auto refused = f.partition->append(format::framed_batch(late));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::invalid_producer_epoch);
  const auto marker = f.partition->append_marker(
      {.type = ControlType::abort, .producer_id = first_producer, .producer_epoch = 0}, 0);
  REQUIRE_FALSE(marker);
  CHECK(marker.error().code() == Errc::invalid_producer_epoch);
  CHECK(f.partition->log_end_offset() == 2);
}

TEST_CASE("a marker is appended whatever max.message.bytes says") {
  Transactions f;
  f.send(first_producer, 0, 0);
  auto config = f.partition->config();
  config.max_message_bytes = 10;
  f.partition->set_config(config);
  f.end(ControlType::commit, first_producer, 1);
  CHECK(f.stable() == 2);
}

TEST_CASE("INV-9: neither retention nor a trim passes the last stable offset") {
  Transactions f(500);
  f.send(first_producer, 0, 0);
  for (int i = 0; i < 30; ++i) f.put("k", std::string(100, 'v'));
  auto config = f.partition->config();
  config.retention_bytes = 0;
  f.partition->set_config(config);
  must(f.partition->apply_retention());
  CHECK(f.partition->log_start_offset() == 0);
  const auto trimmed = f.partition->advance_log_start(1);
  REQUIRE_FALSE(trimmed);
  CHECK(trimmed.error().code() == Errc::offset_out_of_range);
  f.end(ControlType::commit, first_producer, 1);
  must(f.partition->apply_retention());
  CHECK(f.partition->log_start_offset() > 0);
}

TEST_CASE("INV-5: open transactions, the stable offset and the index are as before after any restart") {
  Random random("transactions across restarts");
  for (int round = 0; round < 20; ++round) {
    Transactions f(random.between(400, 2'000));
    std::map<ProducerId, ProducerEpoch> epochs;
    std::map<ProducerId, Sequence> open;
    for (int step = 0; step < 120; ++step) {
      const ProducerId producer = first_producer + random.between(0, 3);
      if (random.one_in(3)) {
        f.put("k", "plain");
      } else if (open.contains(producer) && random.one_in(3)) {
        f.end(random.one_in(2) ? ControlType::abort : ControlType::commit, producer, ++epochs[producer]);
        open.erase(producer);
      } else {
        f.send(producer, epochs[producer], open[producer]++);
      }
      if (random.one_in(10)) f.store_checkpoint();
      if (!random.one_in(8)) continue;
      const auto before = f.aborted();
      const Offset stable = f.stable();
      const bool is_clean = random.one_in(2);
      if (is_clean) {
        f.close();
      } else {
        f.die();
        f.request.checkpoint.clean_end_offset = -1;
      }
      // What a power cut does to an index that nobody synced since; a clean close has.
      if (!is_clean && random.one_in(2)) {
        const auto last = must(segment::list_segments(os::posix_vfs(), f.request.directory)).segments.back();
        const std::string index = f.path(last.base_offset, format::FileKind::transaction_index);
        const bool is_unsynced = last.base_offset > f.request.checkpoint.recovery_segment_base;
        if (is_unsynced && std::filesystem::exists(index)) std::filesystem::resize_file(index, 10);
      }
      f.open();
      REQUIRE(f.aborted() == before);
      REQUIRE(f.stable() == stable);
    }
  }
}

TEST_CASE("an index that makes no sense is moved aside and made again from the log") {
  Transactions f;
  f.put("k", "v");
  f.send(first_producer, 0, 0);
  f.end(ControlType::abort, first_producer, 1);
  f.store_checkpoint();
  f.send(first_producer, 1, 0);
  f.end(ControlType::abort, first_producer, 2);
  const auto before = f.aborted();
  f.die();
  f.request.checkpoint.clean_end_offset = -1;
  const std::string index = f.path(0, format::FileKind::transaction_index);
  overwrite(index, 0, "\x55");
  f.open();
  CHECK(f.aborted() == before);
  CHECK(std::filesystem::exists(index + ".damaged"));
}

TEST_CASE("INV-8: a commit whose decision did not survive is cut off, with everything behind it") {
  Transactions f;
  f.put("k", "before");
  f.store_checkpoint();
  f.send(first_producer, 0, 0);
  f.end(ControlType::commit, first_producer, 1);
  f.send(second_producer, 0, 0);
  f.end(ControlType::commit, second_producer, 1);
  f.put("k", "behind");
  f.die();
  f.request.checkpoint.clean_end_offset = -1;
  f.request.is_decided = [](ProducerId producer, ProducerEpoch epoch) {
    return producer == first_producer && epoch == 1;
  };
  f.open();
  CHECK(f.partition->log_end_offset() == 4);
  CHECK(f.stable() == 3);
  CHECK(f.partition->producer(second_producer)->open_first_offset == 3);
}

TEST_CASE(
    "INV-7: a duplicate changes nothing, and is answered with the first copy's place, after a restart too") {
  WriterFixture f;
  f.open();
  auto batch = make_batch({.records = 3, .producer_id = first_producer, .producer_epoch = 0, .sequence = 0});
  const auto first = must(f.partition->append(format::framed_batch(batch)));
  f.put("k", "between");
  for (int restart = 0; restart < 3; ++restart) {
    auto again =
        make_batch({.records = 3, .producer_id = first_producer, .producer_epoch = 0, .sequence = 0});
    const auto second = must(f.partition->append(format::framed_batch(again)));
    CHECK(second.base_offset == first.base_offset);
    CHECK(second.last_offset == first.last_offset);
    CHECK(second.duplicate_of_ms == t0_ms + 2);
    CHECK(f.partition->log_end_offset() == 4);
    CHECK(f.partition->next_sequence(first_producer, 0) == 3);
    if (restart == 0) f.close();
    if (restart == 1) f.die();
    f.request.checkpoint.clean_end_offset = restart == 0 ? 4 : -1;
    f.open();
  }
}

}  // namespace
}  // namespace seriatim::test
