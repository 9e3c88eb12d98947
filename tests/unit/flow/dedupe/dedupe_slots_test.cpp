// As many transactions of a deduplicator at a time as it was allowed.
#include "flow/dedupe/dedupe_slots.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {

TEST_CASE("slots are taken in turn, the one that came back last at the end") {
  const OpenedEngine opened;
  flow::DedupeSlots slots(3);
  CHECK_FALSE(slots.take(std::chrono::milliseconds(0)));
  for (const char* const id : {"a", "b", "c"}) slots.give(transactional(opened.engine, id));
  const auto taken = [&] { return slots.take(std::chrono::milliseconds(0)).value(); };
  std::optional<TransactionalProducer> first = taken();
  CHECK(first->transactional_id() == "a");
  slots.give(*std::move(first));
  for (const char* const id : {"b", "c", "a"}) CHECK(taken().transactional_id() == id);
  CHECK_FALSE(slots.take(std::chrono::milliseconds(1)));
}

TEST_CASE("who waits for a slot gets the one that comes back") {
  const OpenedEngine opened;
  flow::DedupeSlots slots(1);
  std::optional<TransactionalProducer> taken;
  std::thread waiting([&] { taken = slots.take(std::chrono::milliseconds::max()); });
  slots.give(transactional(opened.engine, "a"));
  waiting.join();
  REQUIRE(taken);
  CHECK(taken->transactional_id() == "a");
}

}  // namespace seriatim::test
