// Handles that were moved from: every function of every one answers `closed`, or that there is nothing.
#include "base/moved_from.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/seriatim.hpp>

#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

struct Call {
  const char* function;
  std::function<Errc()> code;
};

void check_closed(const std::vector<Call>& calls) {
  for (const Call& call : calls) {
    CAPTURE(call.function);
    CHECK(call.code() == Errc::closed);
  }
}

// One line for each function of `handle` that returns a Result.
#define SERIATIM_CALL(expression)                    \
  Call {                                             \
#expression, [&] { return code_of(expression); } \
  }

const TopicPartitionOffsets no_offsets{};
const std::vector<Record> one_record{Record{.value = "v"}};

}  // namespace

TEST_CASE("the message names the handle and the next step") {
  const Error error = base::moved_from("Producer");
  CHECK(error.code() == Errc::closed);
  CHECK(error.message() == "this Producer was moved from; use the one it was moved to");
}

TEST_CASE("an Engine that was moved from") {
  const OpenedEngine opened;
  Engine engine = opened.engine;
  const Engine taken = std::move(engine);
  // NOLINTBEGIN(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  check_closed({SERIATIM_CALL(engine.producer()), SERIATIM_CALL(engine.transactional_producer({})),
                SERIATIM_CALL(engine.state("s")), SERIATIM_CALL(engine.consumer()),
                SERIATIM_CALL(engine.reader(t0)), SERIATIM_CALL(engine.flush()),
                SERIATIM_CALL(engine.close()), SERIATIM_CALL(engine.admin().list_topics())});
  CHECK(engine.directory().empty());
  CHECK(engine.metrics().topics == 0);
  engine = taken;
  // NOLINTEND(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  must(engine.flush());
}

TEST_CASE("an Admin that was moved from") {
  const OpenedEngine opened;
  Admin admin = opened.engine.admin();
  const Admin taken = std::move(admin);
  // NOLINTBEGIN(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  check_closed({SERIATIM_CALL(admin.create_topic({.name = "n"})),
                SERIATIM_CALL(admin.delete_topic("t")),
                SERIATIM_CALL(admin.create_partitions("t", 2)),
                SERIATIM_CALL(admin.alter_config("t", {})),
                SERIATIM_CALL(admin.reset_config("t", {})),
                SERIATIM_CALL(admin.list_topics()),
                SERIATIM_CALL(admin.describe_topic("t")),
                SERIATIM_CALL(admin.describe_retention("t")),
                SERIATIM_CALL(admin.delete_records(t0, 0)),
                SERIATIM_CALL(admin.list_offset(t0, OffsetSpec::latest)),
                SERIATIM_CALL(admin.offset_for_time(t0, Timestamp{})),
                SERIATIM_CALL(admin.apply_retention("t")),
                SERIATIM_CALL(admin.compact("t", false)),
                SERIATIM_CALL(admin.pause_maintenance()),
                SERIATIM_CALL(admin.resume_maintenance()),
                SERIATIM_CALL(admin.verify()),
                SERIATIM_CALL(admin.list_groups()),
                SERIATIM_CALL(admin.group_offsets("g")),
                SERIATIM_CALL(admin.group_lag("g")),
                SERIATIM_CALL(admin.alter_group_offsets("g", no_offsets)),
                SERIATIM_CALL(admin.delete_group("g")),
                SERIATIM_CALL(admin.delete_group_offsets("g", {t0})),
                SERIATIM_CALL(admin.list_transactions()),
                SERIATIM_CALL(admin.describe_transaction("x")),
                SERIATIM_CALL(admin.abort_transaction("x")),
                SERIATIM_CALL(admin.fence_producer("x")),
                SERIATIM_CALL(admin.find_hanging_transactions()),
                SERIATIM_CALL(admin.abort_hanging_transaction(t0, 0)),
                SERIATIM_CALL(admin.describe_producers(t0)),
                SERIATIM_CALL(admin.list_named_producers()),
                SERIATIM_CALL(admin.forget_named_producer("p")),
                SERIATIM_CALL(admin.list_states())});
  // NOLINTEND(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  must(taken.list_topics());
}

TEST_CASE("a Producer, a DeliveryFuture and a Claim that were moved from") {
  const OpenedEngine opened;
  Producer producer = must(opened.engine.producer({.enable_idempotence = true}));
  Producer taken = std::move(producer);
  const ProducerRecord record{.topic = "t", .value = "v"};
  // NOLINTBEGIN(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  check_closed({SERIATIM_CALL(producer.send(record).get()),
                SERIATIM_CALL(producer.send(record, [](const Result<RecordMetadata>&) {})),
                SERIATIM_CALL(producer.send_sync(record)), SERIATIM_CALL(producer.check(record)),
                SERIATIM_CALL(producer.append(t0, one_record)), SERIATIM_CALL(producer.try_claim(t0, 1)),
                SERIATIM_CALL(producer.append(t0, one_record, 0)), SERIATIM_CALL(producer.last_sequence(t0)),
                SERIATIM_CALL(producer.flush()), SERIATIM_CALL(producer.close())});
  CHECK_FALSE(producer.producer_id().has_value());

  // With an outcome at once, with an error at once, and with one that is still to come.
  Producer lingering = must(opened.engine.producer({.linger = std::chrono::seconds(1)}));
  std::vector<DeliveryFuture> futures;
  futures.push_back(taken.send(record));
  futures.push_back(taken.send({.topic = "missing", .value = "v"}));
  futures.push_back(lingering.send(record));
  for (DeliveryFuture& future : futures) {
    DeliveryFuture other = std::move(future);
    check_closed({SERIATIM_CALL(future.get()), SERIATIM_CALL(future.await_resume())});
    CHECK(future.ready());  // To say so.
    CHECK(future.wait_for(std::chrono::hours(1)));
    CHECK_FALSE(future.await_suspend({}));
    future = std::move(other);
  }
  must(lingering.flush());
  CHECK(futures[0].get().ok());
  CHECK(code_of(futures[1].get()) == Errc::unknown_topic_or_partition);
  CHECK(futures[2].get().ok());

  Claim claim = must(lingering.try_claim(t0, 1));
  Claim held = std::move(claim);
  check_closed({SERIATIM_CALL(claim.commit())});
  CHECK(claim.value().empty());
  claim.abort();
  // NOLINTEND(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  held.value()[0] = std::byte{1};
  must(held.commit());
}

TEST_CASE("a Consumer and its records that were moved from") {
  const OpenedEngine opened;
  must(must(opened.engine.producer()).send_sync({.topic = "t", .value = "v"}));
  Consumer consumer = must(opened.engine.consumer({.group_id = "g"}));
  must(consumer.assign_topic("t"));
  Consumer taken = std::move(consumer);
  const std::chrono::milliseconds hour = std::chrono::hours(1);
  // NOLINTBEGIN(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  check_closed({SERIATIM_CALL(consumer.assign({t0})),
                SERIATIM_CALL(consumer.assign_topic("t")),
                SERIATIM_CALL(consumer.poll(hour)),
                SERIATIM_CALL(consumer.position(t0)),
                SERIATIM_CALL(consumer.seek(t0, 0)),
                SERIATIM_CALL(consumer.seek_to_beginning()),
                SERIATIM_CALL(consumer.seek_to_end()),
                SERIATIM_CALL(consumer.seek_to_time(Timestamp{})),
                SERIATIM_CALL(consumer.offsets_for_times({})),
                SERIATIM_CALL(consumer.beginning_offset(t0)),
                SERIATIM_CALL(consumer.end_offset(t0)),
                SERIATIM_CALL(consumer.lag(t0)),
                SERIATIM_CALL(consumer.pause({})),
                SERIATIM_CALL(consumer.resume({})),
                SERIATIM_CALL(consumer.commit_sync()),
                SERIATIM_CALL(consumer.commit_sync(no_offsets)),
                SERIATIM_CALL(consumer.commit_sync(ConsumerRecords())),
                SERIATIM_CALL(consumer.commit_async()),
                SERIATIM_CALL(consumer.commit_async(no_offsets)),
                SERIATIM_CALL(consumer.commit_async(ConsumerRecords())),
                SERIATIM_CALL(consumer.committed(t0))});
  CHECK(consumer.assignment().empty());
  CHECK(consumer.paused().empty());
  CHECK(consumer.group_metadata().group_id.empty());
  CHECK(consumer.event_fd() == -1);
  consumer.wakeup();
  consumer.close();

  ConsumerRecords records = must(taken.poll(hour));
  const ConsumerRecords kept = std::move(records);
  CHECK(records.empty());
  CHECK(records.count() == 0);
  CHECK(records.begin() == records.end());
  CHECK(records.partitions().empty());
  CHECK(records.records(t0).empty());
  CHECK(records.next_offsets().empty());
  // NOLINTEND(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  CHECK(kept.count() == 1);
}

TEST_CASE("a LogReader and a FileSlice that were moved from") {
  const OpenedEngine opened;
  must(must(opened.engine.producer()).send_sync({.topic = "t", .value = "v"}));
  LogReader reader = must(opened.engine.reader(t0));
  const LogReader taken = std::move(reader);
  FileSlice slice = must(taken.fetch(0));
  const FileSlice kept = std::move(slice);
  // NOLINTBEGIN(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  check_closed({SERIATIM_CALL(reader.fetch(0)), SERIATIM_CALL(reader.send_to(1, kept)),
                SERIATIM_CALL(reader.read(0, 1)), SERIATIM_CALL(reader.read_backward(1, 1)),
                SERIATIM_CALL(reader.record_at(0))});
  CHECK(reader.log_start_offset() == -1);
  CHECK(reader.high_watermark() == -1);
  CHECK(reader.last_stable_offset() == -1);
  CHECK(reader.log_end_offset() == -1);
  CHECK(slice.fd() == -1);
  CHECK(slice.empty());
  CHECK(slice.position() == 0);
  CHECK(slice.first_offset() == 0);
  CHECK(slice.next_offset() == 0);
  CHECK(slice.bytes().empty());
  CHECK(must(taken.send_to(1, slice)) == 0);
  // NOLINTEND(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  CHECK(kept.size() > 0);
}

TEST_CASE("a TransactionalProducer, a Transaction and a State that were moved from") {
  const OpenedEngine opened;
  TransactionalProducer producer = transactional(opened.engine);
  TransactionalProducer taken = std::move(producer);
  Transaction transaction = must(taken.begin());
  Transaction open = std::move(transaction);
  State state = must(opened.engine.state("s"));
  const State kept = std::move(state);
  // NOLINTBEGIN(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  CHECK(producer.producer_id() == -1);
  CHECK(producer.producer_epoch() == -1);
  CHECK(producer.transactional_id().empty());
  TransactionTable table = transaction.state("s");
  check_closed(
      {SERIATIM_CALL(producer.begin()), SERIATIM_CALL(transaction.send({.topic = "t", .value = "v"})),
       SERIATIM_CALL(transaction.append(t0, one_record)),
       SERIATIM_CALL(transaction.send_offsets(no_offsets, {.group_id = "g"})),
       SERIATIM_CALL(transaction.commit()), SERIATIM_CALL(transaction.abort()),
       SERIATIM_CALL(table.put("k", "v")), SERIATIM_CALL(table.erase("k")), SERIATIM_CALL(table.get("k")),
       SERIATIM_CALL(state.get("k")), SERIATIM_CALL(state.scan({}, 1))});
  CHECK_FALSE(transaction.is_open());
  // NOLINTEND(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  CHECK(open.is_open());
  must(open.commit());
}

#undef SERIATIM_CALL

}  // namespace seriatim::test
