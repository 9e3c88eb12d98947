#include "group/assign/roster.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "support/assignments.hpp"

namespace assign = seriatim::group::assign;
namespace test = seriatim::test;
using assign::Place;

TEST_CASE("roster: topics are those that exist, have partitions, and are subscribed to") {
  const seriatim::AssignmentRequest request{
      .members = {test::group_member("B", "cx"), test::group_member("A", "ac")},
      .partitions = {{"a", 2}, {"b", 3}, {"c", 1}, {"d", 0}}};
  const assign::Roster roster(request);
  REQUIRE(roster.topics().size() == 2);
  CHECK(roster.topics()[0].name == "a");
  CHECK(roster.topics()[1].subscribers == std::vector<std::size_t>{0, 1});
  CHECK(roster.members()[0].given->member_id == "A");
  CHECK(roster.partition_count() == 3);
  CHECK(roster.places() == std::vector<Place>{{0, 0}, {0, 1}, {1, 0}});
}

TEST_CASE("roster: a member owns what exists, what it subscribes to, and what nobody else claims") {
  const seriatim::AssignmentRequest request{
      .members = {test::group_member("A", "a", "z0 a9 a2 a0 a0 b0 a1"), test::group_member("B", "ab", "a1")},
      .partitions = {{"a", 3}, {"b", 1}}};
  const assign::Roster roster(request);
  CHECK(roster.members()[0].owned == std::vector<Place>{{0, 0}, {0, 2}});
  CHECK(roster.members()[0].claimed == std::vector<Place>{{0, 0}, {0, 1}, {0, 2}, {1, 0}});
  CHECK(roster.members()[0].gave_up_topic);
  CHECK(roster.members()[1].owned.empty());
  CHECK_FALSE(roster.members()[1].gave_up_topic);
  CHECK(roster.claims({0, 1}) == 2);
  CHECK(roster.claims({0, 0}) == 1);
}

TEST_CASE("roster: members subscribe alike by the names they give, whether those exist or not") {
  const seriatim::AssignmentRequest alike{
      .members = {test::group_member("A", "ab"), test::group_member("B", "ba")}, .partitions = {{"a", 1}}};
  CHECK(assign::Roster(alike).subscribes_alike());
  const seriatim::AssignmentRequest other{
      .members = {test::group_member("A", "a"), test::group_member("B", "ab")}, .partitions = {{"a", 1}}};
  CHECK_FALSE(assign::Roster(other).subscribes_alike());
}
