#include "flow/dead_letters/replayed_letters.hpp"

#include <doctest/doctest.h>

#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE(
    "letters that were replayed are known by topic, partition and offset, and forgotten in their order") {
  const OpenedEngine f;
  const auto letters = must(flow::ReplayedLetters::open(f.engine, "AAAAAAAAAAAAAAAAAAAAAA"));
  const auto others = must(flow::ReplayedLetters::open(f.engine, "BAAAAAAAAAAAAAAAAAAAAA"));
  TransactionalProducer producer = transactional(f.engine);
  Transaction adding = must(producer.begin());
  for (const Offset offset : {1, 255, 256, 70'000}) {
    must(letters.add(adding, {.partition = 1, .offset = offset}, "t-0@1"));
    must(letters.add(adding, {.partition = 256, .offset = offset}, "t-0@1"));
    must(others.add(adding, {.partition = 1, .offset = offset}, "t-0@1"));
  }
  must(adding.commit());
  CHECK(must(letters.contains(1, 255)));
  CHECK(!must(letters.contains(1, 2)));
  CHECK(!must(letters.contains(0, 255)));
  Transaction forgetting = must(producer.begin());
  CHECK(must(letters.forget(forgetting, {.partition = 1, .offset = 256}, 10)) == 2);
  must(forgetting.commit());
  CHECK(!must(letters.contains(1, 1)));
  CHECK(!must(letters.contains(1, 255)));
  CHECK(must(letters.contains(1, 256)));
  CHECK(must(letters.contains(256, 255)));
  CHECK(must(others.contains(1, 255)));
  Transaction limited = must(producer.begin());
  CHECK(must(letters.forget(limited, {.partition = 256, .offset = 100'000}, 3)) == 3);
}

}  // namespace
}  // namespace seriatim::test
