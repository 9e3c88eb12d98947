// Compaction of transactions (kafka-log 2.12).
#include "unit/partition/transactions_fixture.hpp"

namespace seriatim::test {
namespace {

/// A compacted partition with one segment per couple of batches.
struct CompactedTransactions : Transactions {
  explicit CompactedTransactions(std::int64_t segment_bytes = 400) : Transactions(segment_bytes) {
    request.config.cleanup_policy = CleanupPolicy::compact;
    request.config.delete_retention_ms = 1'000;
    partition->set_config(request.config);
  }
  /// One record of a transaction.
  Offset send_record(ProducerId producer, ProducerEpoch epoch, Sequence sequence, const std::string& key,
                     const Text& value) {
    return put({{key, value}}, {.producer_id = producer,
                                .producer_epoch = epoch,
                                .base_sequence = sequence,
                                .transactional = true})
        .base_offset;
  }
  void compact_all() {
    seal_all();
    REQUIRE(compact({.force = true}).ran);
  }
  bool has_batch(Offset base) const {
    bool is_there = false;
    for_each_batch([&](const format::BatchHeader& header) {
      is_there = is_there || (header.base_offset == base && header.record_count > 0);
    });
    return is_there;
  }
  template <class Visit>
  void for_each_batch(const Visit& visit) const {
    partition::FetchCursor cursor(partition);
    must(cursor.seek(partition->log_start_offset()));
    partition::FetchedBatch batch;
    while (must(cursor.peek(partition->log_end_offset(), true, batch)) ==
           partition::FetchCursor::Step::batch) {
      visit(batch.header);
      cursor.advance(batch);
    }
  }
  void reopen_with_the_logs_alone() {
    for (const std::string& name : file_names()) {
      if (name.ends_with(".snapshot") || name.ends_with(".producers"))
        std::filesystem::remove(request.directory + "/" + name);
    }
    reopen_after_crash();
  }
  void pass_time(std::int64_t ms) { world->clock.set_wall_ms(world->clock.wall_ms() + ms); }
};

TEST_CASE(
    "INV-8: records of an aborted transaction go, also the newest of their key, and supersede nothing") {
  CompactedTransactions f;
  f.put("a", "committed");
  const Offset aborted = f.send_record(first_producer, 0, 0, "a", "aborted");
  f.end(ControlType::abort, first_producer, 1);
  f.put("b", "other");
  f.compact_all();
  CHECK_FALSE(f.has_batch(aborted));
  const std::map<std::string, std::string> expected{{"a", "committed"}, {"b", "other"}};
  CHECK(newest_values(f.rows()) == expected);
}

TEST_CASE("records of a committed transaction are compacted as any others") {
  CompactedTransactions f;
  const Offset old = f.send_record(first_producer, 0, 0, "a", "old");
  f.end(ControlType::commit, first_producer, 1);
  const Offset newer = f.send_record(first_producer, 1, 0, "a", "new");
  f.end(ControlType::commit, first_producer, 2);
  f.put("b", "last");
  f.compact_all();
  CHECK_FALSE(f.has_batch(old));
  CHECK(f.has_batch(newer));
  CHECK(newest_values(f.rows()).at("a") == "new");
}

TEST_CASE("a transaction whose marker is not in the compacted segments is known all the same") {
  for (const auto type : {ControlType::commit, ControlType::abort}) {
    CompactedTransactions f;
    f.put("a", "before");
    const Offset sent = f.send_record(first_producer, 0, 0, "a", "in it");
    f.seal_all();
    f.end(type, first_producer, 1);
    f.store_checkpoint();
    REQUIRE(f.compact({.force = true}).ran);
    CHECK(f.has_batch(sent) == (type == ControlType::commit));
    CHECK(newest_values(f.rows()).at("a") == (type == ControlType::commit ? "in it" : "before"));
  }
}

TEST_CASE("INV-9: compaction does not pass an open transaction") {
  CompactedTransactions f;
  f.put("a", "1");
  f.put("a", "2");
  f.seal_all();
  const Offset open = f.send_record(first_producer, 0, 0, "a", "3");
  f.put("a", "4");
  f.seal_all();
  f.compact({.force = true});
  CHECK(f.has_batch(open));
  CHECK(f.has_batch(open + 1));
  CHECK_FALSE(f.has_batch(0));
}

TEST_CASE("a marker stays until nothing of its transaction is left, then for delete.retention.ms") {
  CompactedTransactions f;
  f.send_record(first_producer, 0, 0, "a", "aborted");
  const Offset marker = f.end(ControlType::abort, first_producer, 1);
  const Offset committed = f.send_record(first_producer, 1, 0, "a", "committed");
  const Offset second_marker = f.end(ControlType::commit, first_producer, 2);
  f.send_record(first_producer, 2, 0, "c", "last of the producer");
  f.end(ControlType::commit, first_producer, 3);
  f.put("b", "end");
  f.compact_all();  // takes the aborted record
  CHECK(f.has_batch(marker));
  f.put("b", "end 1");
  f.compact_all();  // meets the marker alone
  CHECK(f.has_batch(marker));
  f.pass_time(999);
  f.put("b", "end 2");
  f.compact_all();
  CHECK(f.has_batch(marker));
  f.pass_time(1);
  f.put("b", "end 3");
  f.compact_all();
  CHECK_FALSE(f.has_batch(marker));
  CHECK(f.has_batch(committed));
  CHECK(f.has_batch(second_marker));
}

TEST_CASE("what a producer goes on with survives the compaction of its transactions and a restart") {
  CompactedTransactions f;
  f.send_record(first_producer, 0, 0, "a", "1");
  f.end(ControlType::abort, first_producer, 1);
  f.put("a", "2");
  for (int pass = 0; pass < 4; ++pass) {
    f.compact_all();
    f.pass_time(2'000);
    f.put("b", "more");
  }
  f.reopen_with_the_logs_alone();
  CHECK(f.partition->next_sequence(first_producer, 1) == 0);
  auto old =
      make_batch({.producer_id = first_producer, .producer_epoch = 0, .sequence = 0, .transactional = true});
  CHECK_FALSE(f.partition->append(format::framed_batch(old)));
}

TEST_CASE(
    "INV-7: a marker that leaves the epoch as it is leaves the sequence too, after compaction and a "
    "restart") {
  CompactedTransactions f;
  f.send_record(first_producer, 0, 0, "a", "1");
  f.end(ControlType::commit, first_producer, 0);  // As Kafka before its version 4 ends a transaction.
  f.put("a", "2");
  for (int pass = 0; pass < 4; ++pass) {
    f.compact_all();
    f.pass_time(2'000);
    f.put("b", "more");
  }
  f.reopen_with_the_logs_alone();
  CHECK(f.partition->next_sequence(first_producer, 0) == 1);
  CHECK(f.stable() == f.partition->log_end_offset());
}

TEST_CASE("INV-8: a merged segment has the transaction index of those it replaces, as far as it needs one") {
  CompactedTransactions f(100'000);
  f.put("z", "front");
  f.seal_all();
  const Offset sent = f.send_record(first_producer, 0, 0, "a", "1");
  f.seal_all();
  const Offset marker = f.end(ControlType::abort, first_producer, 1);
  f.put("y", "end");
  f.compact_all();
  REQUIRE(f.segment_count() == 2);
  const std::vector<AbortedTransaction> expected{{first_producer, sent, marker, marker + 1}};
  CHECK(f.aborted() == expected);
  f.reopen_after_crash();
  CHECK(f.aborted() == expected);
  f.put("y", "end again");
  f.compact_all();
  CHECK(f.aborted().empty());
  CHECK_FALSE(f.has_leftovers());
}

}  // namespace
}  // namespace seriatim::test
