#include <doctest/doctest.h>

#include <set>

#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {

TEST_CASE("no two producers of a directory ever have the same id") {
  const TempDir dir;
  std::set<ProducerId> seen;
  for (int life = 0; life < 3; ++life) {
    const Engine engine = open_engine(dir / "data");
    const auto impl = detail::EngineImpl::of(engine);
    for (int i = 0; i < 1'500; ++i) {
      const ProducerId id = must(impl->producer_ids.next());
      REQUIRE(id >= ProducerId{1} << 40);
      REQUIRE(seen.insert(id).second);
    }
  }
}

TEST_CASE("a producer's name keeps its id, and another name has another") {
  const TempDir dir;
  const Engine engine = open_engine(dir / "data");
  const auto impl = detail::EngineImpl::of(engine);
  const auto a = must(impl->producer_ids.named("a"));
  CHECK(must(impl->producer_ids.named("a")).producer_id == a.producer_id);
  CHECK(must(impl->producer_ids.named("b")).producer_id != a.producer_id);
}

}  // namespace seriatim::test
