// Transactions in one partition: markers, the last stable offset, and the index of aborted ones.
#include "unit/partition/transactions_fixture.hpp"

namespace seriatim::test {
namespace {

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
  f.partition->release_transaction(0);
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
