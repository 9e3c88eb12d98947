// Transactions as a consumer sees them that is shown only what is durable.
#include <seriatim/transaction.hpp>

#include <doctest/doctest.h>

#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("INV-8: who is shown only what is durable sees a durable commit at once, in every partition") {
  TempDir dir;
  const Engine engine = open_engine(dir / "data");
  create_topic(engine, "out", 3);
  Consumer consumer = must(engine.consumer({.visibility = Visibility::durable}));
  must(consumer.assign_topic("out"));
  TransactionalProducer producer = transactional(engine);
  for (int round = 0; round < 5; ++round) {
    Transaction transaction = must(producer.begin());
    for (PartitionId p = 0; p < 3; ++p) send(transaction, "out", "v", p);
    CHECK(must(consumer.poll(std::chrono::milliseconds(0))).empty());
    must(transaction.commit());
    CHECK(must(consumer.poll(std::chrono::milliseconds(0))).count() == 3);
  }
}

}  // namespace
}  // namespace seriatim::test
