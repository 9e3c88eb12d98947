// Recovery of transactions: what was decided is finished, what was not is aborted, in every partition alike.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "catalog/stored_state.hpp"
#include "format/batch_header.hpp"
#include "format/index_entry.hpp"
#include "support/log_builder.hpp"
#include "unit/api/two_partitions.hpp"

namespace seriatim::test {
namespace {

namespace fs = std::filesystem;
using Values = std::vector<std::string>;
using ::seriatim::detail::EngineImpl;

// Takes the newest batch of a partition, a marker, as if it had never been appended.
void take_marker(const std::string& directory, PartitionId partition) {
  const std::string path = log_path(directory, partition);
  const auto bytes = read_file(path);
  std::size_t end = 0;
  std::size_t last = 0;
  while (end + format::header_bytes <= bytes.size()) {
    const auto header = format::read_batch_header(bytes.data() + end);
    if (header.size_bytes() <= format::header_bytes) break;  // zeros
    last = end;
    end += header.size_bytes();
  }
  REQUIRE(format::read_batch_header(bytes.data() + last).is_control());
  fs::resize_file(path, last);
  fs::resize_file(path, bytes.size());
}

// Everything that was journalled is gone, as after a power cut before it was synced.
void lose_journal(const std::string& directory) {
  for (const auto& entry : fs::directory_iterator(directory + "/journal")) {
    const auto size = fs::file_size(entry.path());
    fs::resize_file(entry.path(), 0);
    fs::resize_file(entry.path(), size);
  }
}

}  // namespace

TEST_CASE("INV-8: markers that a stop has kept from being appended are appended by recovery") {
  for (const Acks acks : {Acks::all, Acks::leader}) {
    for (unsigned missing = 0; missing < 4; ++missing) {
      TwoPartitions f;
      TransactionalProducer producer = transactional(f.engine, "id", acks);
      Transaction transaction = f.write(producer, "a");
      must(transaction.commit());
      const std::string left = copy_of(f.engine, f.copies);
      for (PartitionId i = 0; i < 2; ++i) {
        if ((missing >> static_cast<unsigned>(i) & 1U) != 0) take_marker(left, i);
      }
      // The journal has the markers too, unless it was only written that far: both are as they may be.
      Engine after = open_engine(left);
      check_all_or_nothing(after, {"a"});
      must(after.close());
      check_all_or_nothing(open_engine(left), {"a"});
    }
  }
}

TEST_CASE(
    "INV-8: a commit marker whose decision did not survive counts for nothing, nor does what came behind") {
  TwoPartitions f;
  TransactionalProducer producer = transactional(f.engine, "id", Acks::leader);
  Transaction transaction = f.write(producer, "a");
  must(transaction.commit());
  const std::string left = copy_of(f.engine, f.copies);
  lose_journal(left);
  fs::remove(left + "/LOCK");  // The machine went down: it is not known to be as this boot has left it.
  check_all_or_nothing(open_engine(left), {});
}

TEST_CASE("INV-5: a recovery that is stopped at any step, and done again, ends the same") {
  TwoPartitions f;
  TransactionalProducer producer = transactional(f.engine, "id", Acks::leader);
  Transaction first = f.write(producer, "a");
  must(first.commit());
  TransactionalProducer other = transactional(f.engine, "other", Acks::leader);
  Transaction open = must(other.begin());
  send(open, "t", "open", 1);
  const std::string left = copy_of(f.engine, f.copies);
  take_marker(left, 0);
  // And nobody waits for what was open.
  check_stopped_recoveries(left, [](const Engine& after) { check_all_or_nothing(after, {"a"}); });
}

TEST_CASE("epochs that only the logs told recovery are known after a clean close, too") {
  TwoPartitions f;
  TransactionalProducer producer = transactional(f.engine, "id", Acks::leader);
  for (const char* value : {"a", "b", "c"}) {
    Transaction transaction = f.write(producer, value);
    must(transaction.commit());
  }
  const ProducerEpoch used = producer.producer_epoch();
  const std::string left = copy_of(f.engine, f.copies);
  Engine recovered = open_engine(left);
  must(recovered.close());
  const Engine after = open_engine(left);
  TransactionalProducer next = transactional(after, "id", Acks::leader);
  CHECK(next.producer_epoch() > used);
  Transaction transaction = f.write(next, "d");
  must(transaction.commit());
  check_all_or_nothing(after, {"a", "b", "c", "d"});
}

TEST_CASE("a decision that a checkpoint has covered is not needed any more") {
  TwoPartitions f;
  TransactionalProducer producer = transactional(f.engine, "id", Acks::leader);
  for (const char* value : {"a", "b"}) {
    Transaction transaction = f.write(producer, value);
    must(transaction.commit());
    must(EngineImpl::of(f.engine)->checkpointer->checkpoint());
  }
  // Behind a clean close the journal may be gone; who opens then has none, and recovers without it.
  const std::string path = f.engine.directory();
  must(f.engine.close());
  lose_journal(path);
  const Engine after = open_engine(path);
  check_all_or_nothing(open_engine(copy_of(after, f.copies)), {"a", "b"});
}

TEST_CASE("a checkpoint in the midst of transactions loses nothing of them") {
  TwoPartitions f;
  TransactionalProducer producer = transactional(f.engine, "id");
  Transaction committed = f.write(producer, "a");
  must(EngineImpl::of(f.engine)->checkpointer->checkpoint());
  must(committed.commit());
  TransactionalProducer other = transactional(f.engine, "other");
  Transaction open = f.write(other, "open");
  must(EngineImpl::of(f.engine)->checkpointer->checkpoint());
  check_all_or_nothing(open_engine(copy_of(f.engine, f.copies)), {"a"});
}

TEST_CASE("an epoch that was used is never used again, whatever the catalog knew of it") {
  TwoPartitions f;
  TransactionalProducer producer = transactional(f.engine, "id", Acks::leader);
  for (int i = 0; i < 5; ++i) {
    Transaction transaction = f.write(producer, "a");
    must(i % 2 == 0 ? transaction.commit() : transaction.abort());
  }
  const auto used = producer.producer_epoch();
  const Engine after = open_engine(copy_of(f.engine, f.copies));
  TransactionalProducer next = transactional(after, "id");
  CHECK(next.producer_id() == producer.producer_id());
  CHECK(next.producer_epoch() > used);
  commit_one(next, "t", "b", 0);
  CHECK(committed_values(after, "t", 0) == Values{"a", "a", "a", "b"});
}

TEST_CASE("an epoch that no record carries is not used again either, after two stops") {
  TwoPartitions f;
  TransactionalProducer producer = transactional(f.engine, "id", Acks::leader);
  Transaction transaction = must(producer.begin());
  must(transaction.state("s").put("k", "v"));
  must(transaction.commit());
  const Engine after = open_engine(copy_of(f.engine, f.copies));
  TempDir later;
  const Engine again = open_engine(copy_of(after, later));
  CHECK(transactional(again, "id").producer_epoch() > producer.producer_epoch());
}

TEST_CASE("INV-8: what the catalog shows of a transaction is not there before its records are safe") {
  TwoPartitions f;
  TransactionalProducer producer = transactional(f.engine, "id", Acks::leader);
  Transaction transaction = f.write(producer, "a");
  must(transaction.commit());
  const auto& impl = *EngineImpl::of(f.engine);
  const auto newest = impl.coordinator->applied_lsn();
  CHECK_FALSE(impl.journal->is_durable(newest));
  must(EngineImpl::of(f.engine)->checkpointer->store_commits());
  CHECK(impl.journal->is_durable(newest));
}

TEST_CASE(
    "a position is not in the catalog before the transactions of records are safe that came before it") {
  TwoPartitions f;
  TransactionalProducer producer = transactional(f.engine, "id", Acks::leader);
  commit_one(producer, "t", "a", 0);
  auto& impl = *EngineImpl::of(f.engine);
  must(impl.committed_offsets.commit("g", {{{"t", 0}, {.offset = 1}}}, Acks::leader));
  const auto newest = impl.coordinator->applied_lsn();
  REQUIRE(newest > 0);
  CHECK_FALSE(impl.journal->is_durable(newest));
  must(impl.checkpointer->store_commits());
  CHECK(impl.journal->is_durable(newest));
}

TEST_CASE(
    "positions are not in the catalog before their frames are safe, or a replay would undo some of them") {
  TwoPartitions f;
  auto& impl = *EngineImpl::of(f.engine);
  must(impl.committed_offsets.commit("g", {{{"t", 0}, {.offset = 0}}}, Acks::leader));
  must(impl.committed_offsets.commit("h", {{{"t", 1}, {.offset = 0}}}, Acks::leader));
  const auto newest = impl.journal->stats().staged_lsn;
  CHECK_FALSE(impl.journal->is_durable(newest));
  must(impl.checkpointer->store_commits());
  CHECK(impl.journal->is_durable(newest));
}

TEST_CASE("what the catalog was shown is not written again, by the next showing or by a checkpoint") {
  TwoPartitions f;
  auto& impl = *EngineImpl::of(f.engine);
  TransactionalProducer producer = transactional(f.engine, "id", Acks::leader);
  const auto put = [&](const char* key) {
    Transaction transaction = must(producer.begin());
    must(transaction.state("s").put(key, "v"));
    must(transaction.commit());
  };
  must(impl.committed_offsets.commit("g", {{{"t", 0}, {.offset = 0, .metadata = "shown"}}}, Acks::leader));
  put("shown");
  must(impl.checkpointer->store_commits());
  // Nobody writes it behind the engine's back but here, where it shows who comes by later.
  catalog::Checkpoint marked;
  const auto topic_id = must(impl.catalog->topic("t")).topic_id;
  catalog::put_committed_offset(marked.writes, "g", {"t", 0}, topic_id, {.offset = 0, .metadata = "mark"});
  const auto key = base::as_bytes(std::string_view("shown"));
  const std::vector<std::byte> mark(1, std::byte{'m'});
  catalog::put_state_change(marked.writes, "s", key, &mark);
  must(impl.catalog->checkpoint(marked));
  const auto is_marked = [&] {
    CHECK(must(impl.catalog->committed("g", {"t", 0}))->metadata == "mark");
    CHECK(must(catalog::state_value(*impl.catalog, "s", key)) == mark);
  };
  must(impl.committed_offsets.commit("h", {{{"t", 0}, {.offset = 0}}}, Acks::leader));
  put("other");
  must(impl.checkpointer->store_commits());
  CHECK(must(impl.catalog->committed("h", {"t", 0})));
  is_marked();
  must(impl.committed_offsets.commit("i", {{{"t", 0}, {.offset = 0}}}, Acks::leader));
  must(impl.checkpointer->checkpoint());
  CHECK(must(impl.catalog->committed("i", {"t", 0})));
  is_marked();
}

TEST_CASE("INV-8: an index of aborted transactions whose markers did not survive is made right") {
  TwoPartitions f;
  for (const bool makes_sense : {false, true}) {
    const std::string left = copy_of(f.engine, f.copies);
    const std::string index = left + "/log/t-0/00000000000000000000.txnindex";
    std::vector<std::byte> bytes(format::aborted_transaction_bytes);
    if (makes_sense) {
      format::store_aborted_transaction(
          bytes.data(),
          {.producer_id = ProducerId{1} << 40, .first_offset = 0, .last_offset = 1, .last_stable_offset = 2});
    }
    std::ofstream(index, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
    const Engine after = open_engine(left);
    TransactionalProducer producer = transactional(after, "id");
    Transaction aborted = must(producer.begin());
    send(aborted, "t", "x", 0);
    must(aborted.abort());
    Producer plain = must(after.producer());
    must(plain.send_sync({.topic = "t", .value = "y", .partition = 0}));
    CHECK(committed_values(after, "t", 0) == Values{"y"});
  }
}

}  // namespace seriatim::test
