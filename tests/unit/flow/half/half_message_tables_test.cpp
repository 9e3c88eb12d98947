#include <doctest/doctest.h>

#include <seriatim/flow/half_message.hpp>

#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

HalfMessages open_shop(const Engine& engine) {
  return must(HalfMessages::open(engine, {.name = "shop", .checks_in_background = false}));
}

// Back to the names of before.
void move_back(const Engine& engine) {
  TransactionalProducer producer = transactional(engine);
  for (const auto& [from, to] :
       {std::pair("__half:shop", "half:shop"), std::pair("__half_decided:shop", "half_decided:shop")}) {
    for (const StateEntry& entry : must(must(engine.state(from)).scan({}, 1000))) {
      const BytesView key(entry.key.data(), entry.key.size());
      Transaction transaction = must(producer.begin());
      must(transaction.state(to).put(key, BytesView(entry.value.data(), entry.value.size())));
      must(transaction.state(from).erase(key));
      must(transaction.commit());
    }
  }
}

bool is_empty(const Engine& engine, const char* table) {
  return must(must(engine.state(table)).scan({}, 1)).empty();
}

}  // namespace

TEST_CASE("half messages of a directory whose tables had other names are found, and moved by opening") {
  const OpenedEngine opened;
  const Engine& engine = opened.engine;
  std::vector<std::string> ids;
  {
    HalfMessages half = open_shop(engine);
    for (int i = 0; i < 3; ++i) ids.push_back(must(half.prepare({.topic = "t", .value = "v"})).id());
    CHECK(must(half.rollback(ids[2])) == HalfDecision::rolled_back);
  }
  move_back(engine);
  CHECK(must(list_half_message_names(engine)) == std::vector<std::string>{"shop"});
  CHECK(must(list_half_messages(engine, "shop")).size() == 2);
  HalfMessages half = open_shop(engine);
  CHECK(must(half.list()).size() == 2);
  CHECK(is_empty(engine, "half:shop"));
  CHECK(is_empty(engine, "half_decided:shop"));
  CHECK(must(half.commit(ids[0])) == HalfDecision::committed);
  CHECK(must(half.commit(ids[2])) == HalfDecision::rolled_back);
  CHECK(read_values(engine, "t") == std::vector<std::string>{"v"});
  CHECK(must(list_half_message_names(engine)) == std::vector<std::string>{"shop"});
}

TEST_CASE("half messages that no one transaction can hold are moved by several") {
  const TempDir dir;
  const Engine engine = open_engine(dir / "data", {.transaction_max_bytes = 4096});
  create_topic(engine, "t");
  constexpr std::size_t count = 20;
  {
    HalfMessages half = open_shop(engine);
    for (std::size_t i = 0; i < count; ++i)
      must(half.prepare({.topic = "t", .value = std::string(1000 + 100 * i, 'v')}));
  }
  move_back(engine);
  HalfMessages half = open_shop(engine);
  CHECK(must(half.list()).size() == count);
  CHECK(is_empty(engine, "half:shop"));
}

}  // namespace seriatim::test
