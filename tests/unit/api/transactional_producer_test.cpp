// The holder of a transactional id: fencing, time-outs, ids and epochs over restarts.
#include <doctest/doctest.h>

#include <limits>

#include "producer/transaction_impl.hpp"
#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

using Values = std::vector<std::string>;

struct Clocked {
  explicit Clocked(EngineOptions options = {})
      : engine(open_engine_with(dir / "data", os::posix_vfs(), clock, std::move(options))) {
    create_topic(engine, "t");
  }
  TempDir dir;
  TempDir copies;
  base::ManualClock clock{1'700'000'000'000};
  Engine engine;
};

}  // namespace

TEST_CASE("opening an id again fences its holder and aborts what that has open") {
  const OpenedEngine f;
  TransactionalProducer older = transactional(f.engine);
  Transaction open = must(older.begin());
  send(open, "t", "lost");
  TransactionalProducer newer = transactional(f.engine);
  CHECK(newer.producer_id() == older.producer_id());
  CHECK(newer.producer_epoch() > older.producer_epoch());
  const auto late = open.send({.topic = "t", .value = "late"});
  CHECK(code_of(late) == Errc::producer_fenced);
  CHECK(late.error().fatal());
  CHECK(code_of(open.commit()) == Errc::producer_fenced);
  CHECK(code_of(older.begin()) == Errc::producer_fenced);
  commit_one(newer, "t", "kept");
  CHECK(committed_values(f.engine, "t") == Values{"kept"});
}

TEST_CASE("two ids do not disturb each other, though a reader waits for the older transaction") {
  const OpenedEngine f;
  TransactionalProducer one = transactional(f.engine, "one");
  TransactionalProducer two = transactional(f.engine, "two");
  CHECK(one.producer_id() != two.producer_id());
  Transaction slow = must(one.begin());
  send(slow, "t", "slow");
  commit_one(two, "t", "quick");
  CHECK(committed_values(f.engine, "t").empty());
  must(slow.commit());
  CHECK(committed_values(f.engine, "t") == Values{"slow", "quick"});
}

TEST_CASE("an id keeps its producer id over restarts, clean or not, and its epoch rises") {
  const TempDir dir;
  ProducerId id = 0;
  ProducerEpoch epoch = -1;
  for (int life = 0; life < 6; ++life) {
    const TempDir copies;
    Engine engine = open_engine(dir / "data");
    if (life == 0) create_topic(engine, "t");
    TransactionalProducer producer = transactional(engine);
    if (life == 0) id = producer.producer_id();
    CHECK(producer.producer_id() == id);
    CHECK(producer.producer_epoch() > epoch);
    for (int i = 0; i < 3; ++i) {
      Transaction transaction = must(producer.begin());
      send(transaction, "t", std::to_string(life) + "." + std::to_string(i));
      if (i == 1) {
        must(transaction.abort());
      } else {
        must(transaction.commit());
      }
    }
    epoch = producer.producer_epoch();
    if (life % 2 == 0) {
      must(engine.close());
      continue;
    }
    const std::string left = copy_of(engine, copies);
    must(engine.close());
    std::filesystem::remove_all(dir / "data");
    std::filesystem::copy(left, dir / "data", std::filesystem::copy_options::recursive);
  }
  CHECK(committed_values(open_engine(dir / "data"), "t").size() == 12);
}

TEST_CASE("a transaction that is open for too long is aborted, and its handle told to abort") {
  Clocked f;
  TransactionalProducer producer = must(f.engine.transactional_producer(
      {.transactional_id = "slow", .transaction_timeout = std::chrono::milliseconds(500)}));
  Transaction slow = must(producer.begin());
  send(slow, "t", "lost");
  auto& coordinator = *detail::EngineImpl::of(f.engine)->coordinator;
  f.clock.advance_ms(499);
  must(coordinator.advance());
  send(slow, "t", "also lost");
  f.clock.advance_ms(1);
  must(coordinator.advance());
  const auto refused = slow.send({.topic = "t", .value = "late"});
  CHECK(code_of(refused) == Errc::transaction_abortable);
  CHECK(refused.error().requires_abort());
  CHECK(code_of(slow.commit()) == Errc::transaction_abortable);
  must(slow.abort());
  Transaction next = must(producer.begin());
  send(next, "t", "kept");
  // Not even the background has seen it yet: a commit that comes too late is refused all the same.
  f.clock.advance_ms(1'000);
  CHECK(code_of(next.commit()) == Errc::transaction_abortable);
  commit_one(producer, "t", "last");
  CHECK(committed_values(f.engine, "t") == Values{"last"});
}

TEST_CASE("an id whose epochs have run out goes on with another producer id") {
  const OpenedEngine f;
  const auto& impl = detail::EngineImpl::of(f.engine);
  const ProducerId first_id = must(impl->producer_ids.next());
  // As if it had ended that many transactions before.
  impl->coordinator->restore("worn",
                             {.producer_id = first_id, .producer_epoch = 32'764, .timeout_ms = 1'000});
  TransactionalProducer worn = transactional(f.engine, "worn");
  CHECK(worn.producer_epoch() == 32'765);
  Values values;
  for (int i = 0; i < 5; ++i) {
    Transaction transaction = must(worn.begin());
    values.push_back(std::to_string(i));
    send(transaction, "t", values.back());
    must(transaction.commit());
  }
  CHECK(worn.producer_id() > first_id);
  CHECK(worn.producer_epoch() == 3);
  CHECK(committed_values(f.engine, "t") == values);
  const TempDir copies;
  const Engine after = open_engine(copy_of(f.engine, copies));
  CHECK(committed_values(after, "t") == values);
  CHECK(transactional(after, "worn").producer_id() == worn.producer_id());
}

TEST_CASE("options outside their ranges are refused") {
  const OpenedEngine f;
  const auto code = [&](TransactionalProducerOptions options) {
    return code_of(f.engine.transactional_producer(std::move(options)));
  };
  CHECK(code({}) == Errc::invalid_argument);
  CHECK(code({.transactional_id = std::string(256, 'x')}) == Errc::invalid_argument);
  CHECK(code({.transactional_id = std::string("a\0b", 3)}) == Errc::invalid_argument);
  CHECK(code({.transactional_id = "a", .acks = Acks::none}) == Errc::invalid_argument);
  CHECK(code({.transactional_id = "a", .transaction_timeout = std::chrono::milliseconds(0)}) ==
        Errc::invalid_transaction_timeout);
  CHECK(code({.transactional_id = "a", .transaction_timeout = std::chrono::minutes(16)}) ==
        Errc::invalid_transaction_timeout);
  CHECK(code({.transactional_id = "a", .compression_type = CompressionType::zstd, .compression_level = 99}) ==
        Errc::invalid_config);
}

TEST_CASE("a read-only engine hands out no transactional producer") {
  OpenedEngine f;
  must(f.engine.close());
  const Engine reader = open_engine(f.path(), {.mode = OpenMode::read_only});
  CHECK(code_of(reader.transactional_producer({.transactional_id = "a"})) == Errc::read_only);
}

TEST_CASE("an id that nobody has used for long is forgotten, one that is held is not") {
  Clocked f({.transactional_id_expiration = std::chrono::hours(1)});
  const auto& impl = detail::EngineImpl::of(f.engine);
  TransactionalProducer held = transactional(f.engine, "held");
  { const TransactionalProducer dropped = transactional(f.engine, "dropped"); }
  f.clock.advance_ms(2 * 3'600'000);
  must(impl->expire_transactional_ids());
  const auto known = must(impl->catalog->transactional_ids());
  CHECK(known.contains("held"));
  CHECK_FALSE(known.contains("dropped"));
  commit_one(held, "t", "a");
}

}  // namespace seriatim::test
