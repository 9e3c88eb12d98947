#include "group/assign/member_loads.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "support/assignments.hpp"

namespace assign = seriatim::group::assign;
namespace test = seriatim::test;
using assign::Place;

TEST_CASE("member loads: a partition that is given leaves its owner") {
  const auto request = test::group_alike({{"a", 3}}, {"a0 a1", ""});
  const assign::Roster roster(request);
  assign::MemberLoads loads(roster);
  CHECK(loads.take_owned() == std::vector<Place>{{0, 2}});
  CHECK_FALSE(loads.owner({0, 2}).has_value());
  loads.give({0, 1}, 1);
  CHECK(loads.owner({0, 1}) == 1U);
  CHECK(loads.load(0) == 1);
  CHECK(loads.load(1) == 1);
  CHECK(loads.shares() == assign::Shares{{{0, 0}}, {{0, 1}}});
}

TEST_CASE("member loads: of the lightest subscribers the one with the first id is taken") {
  const seriatim::AssignmentRequest request{
      .members = {test::group_member("A", "b"), test::group_member("B", "ab"),
                  test::group_member("C", "ab", "b0"), test::group_member("D", "a")},
      .partitions = {{"a", 1}, {"b", 1}}};
  const assign::Roster roster(request);
  assign::MemberLoads loads(roster);
  loads.take_owned();
  CHECK(loads.lightest_subscriber(0) == 1);
  CHECK(loads.heaviest_load(0) == 0);
  CHECK(loads.heaviest_load(1) == 1);
}
