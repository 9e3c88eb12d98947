#include "flow/recipe_producer.hpp"

#include <doctest/doctest.h>

#include <chrono>

#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {

TEST_CASE("a recipe's producer works beside whatever time the engine allows a transaction") {
  for (const auto allowed :
       {std::chrono::milliseconds(60'000), std::chrono::milliseconds(1'000), std::chrono::milliseconds(1)}) {
    CAPTURE(allowed.count());
    const TempDir dir;
    const Engine engine = must(Engine::open(dir / "data", {.transaction_max_timeout = allowed}));
    const auto producer = flow::open_recipe_producer(engine, "recipe:n:0", Acks::leader);
    REQUIRE(producer.ok());
    CHECK(producer->transactional_id() == "recipe:n:0");
  }
}

TEST_CASE("what else is wrong with a recipe's producer is answered") {
  const TempDir dir;
  const Engine engine = must(Engine::open(dir / "data"));
  CHECK(code_of(flow::open_recipe_producer(engine, "", Acks::leader)) == Errc::invalid_argument);
  CHECK(code_of(flow::open_recipe_producer(engine, "x", Acks::none)) == Errc::invalid_argument);
}

}  // namespace seriatim::test
