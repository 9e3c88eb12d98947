#include "base/snapshot.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <utility>

using seriatim::base::Snapshot;

namespace {

using Pair = std::pair<int, int>;

Snapshot<Pair>::Ptr pair_of(int n) { return std::make_shared<const Pair>(n, -n); }

}  // namespace

TEST_CASE("a store replaces the value for later loads and leaves earlier ones alone") {
  Snapshot<Pair> snapshot(pair_of(1));
  const auto before = snapshot.load();
  snapshot.store(pair_of(2));
  CHECK(before->first == 1);
  CHECK(snapshot.load()->first == 2);
}

TEST_CASE("the version increases with every store, also of the same value") {
  Snapshot<Pair> snapshot(pair_of(1));
  const std::uint64_t first = snapshot.version();
  snapshot.store(snapshot.load());
  CHECK(snapshot.version() > first);
}

TEST_CASE("refresh loads what was stored since, and nothing if nothing was") {
  Snapshot<Pair> snapshot(pair_of(1));
  Snapshot<Pair>::Ptr value;
  std::uint64_t version = 0;
  snapshot.refresh(value, version);
  REQUIRE(value);
  CHECK(value->first == 1);
  CHECK(version == snapshot.version());
  const Pair* const same = value.get();
  snapshot.refresh(value, version);
  CHECK(value.get() == same);
  snapshot.store(pair_of(2));
  snapshot.refresh(value, version);
  CHECK(value->first == 2);
  CHECK(version == snapshot.version());
}

TEST_CASE("refresh loads into an empty pointer even if the version is the newest") {
  Snapshot<Pair> snapshot(pair_of(1));
  Snapshot<Pair>::Ptr value;
  std::uint64_t version = snapshot.version();
  snapshot.refresh(value, version);
  REQUIRE(value);
  CHECK(value->first == 1);
}

TEST_CASE("a reader beside a writer sees whole values, never an older one after a newer") {
  constexpr int stores = 5'000;
  Snapshot<Pair> snapshot(pair_of(0));
  std::jthread writer([&snapshot] {
    for (int n = 1; n <= stores; ++n) snapshot.store(pair_of(n));
  });
  Snapshot<Pair>::Ptr value;
  std::uint64_t version = 0;
  int last = 0;
  while (last < stores) {
    snapshot.refresh(value, version);
    REQUIRE(value->second == -value->first);
    REQUIRE(value->first >= last);
    last = value->first;
  }
}
