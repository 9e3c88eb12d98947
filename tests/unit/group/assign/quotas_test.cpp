#include "group/assign/quotas.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "support/assignments.hpp"

namespace assign = seriatim::group::assign;
namespace test = seriatim::test;
using assign::Place;

TEST_CASE("quotas: members keep one more than the minimum while extras are left, in their order") {
  const auto request = test::group_alike({{"a", 7}}, {"a0 a1 a2 a3", "a4 a5 a6", ""});
  const assign::Roster roster(request);
  const auto kept = assign::keep_by_quota(roster, {roster.members()[0].owned, roster.members()[1].owned, {}});
  CHECK(kept.minimum == 2);
  CHECK(kept.extras == 0);
  CHECK(kept.shares == assign::Shares{{{0, 0}, {0, 1}, {0, 2}}, {{0, 4}, {0, 5}}, {}});
  CHECK(kept.revoked == std::vector<Place>{{0, 3}, {0, 6}});
  CHECK(kept.unowned.empty());
}

TEST_CASE("quotas: partitions that nobody owned are told apart from those that are taken away") {
  const auto request = test::group_alike({{"a", 2}, {"b", 1}}, {"a1", ""});
  const assign::Roster roster(request);
  const auto kept = assign::keep_by_quota(roster, {roster.members()[0].owned, {}});
  CHECK(kept.minimum == 1);
  CHECK(kept.extras == 1);
  CHECK(kept.unowned == std::vector<Place>{{0, 0}, {1, 0}});
  CHECK(kept.revoked.empty());
}
