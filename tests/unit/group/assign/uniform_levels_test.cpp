#include <doctest/doctest.h>

#include <string>

#include "group/assign/roster.hpp"
#include "group/assign/uniform_assignor.hpp"
#include "support/assignments.hpp"

namespace {

namespace assign = seriatim::group::assign;
namespace test = seriatim::test;

std::string levelled(const seriatim::AssignmentRequest& request) {
  const assign::Roster roster(request);
  return test::text_of(roster.named(assign::assign_by_levelling(roster)));
}

}  // namespace

TEST_CASE("uniform levels: the topic with the most partitions for each subscriber is served first") {
  CHECK(levelled({.members = {test::group_member("C0", "ab"), test::group_member("C1", "a")},
                  .partitions = {{"a", 2}, {"b", 2}}}) == "b0 b1 / a0 a1");
}

TEST_CASE(
    "uniform levels: the last of the heaviest gives, the one of its partitions with the highest number") {
  CHECK(levelled({.members = {test::group_member("Aa", "bf"), test::group_member("Ab", "cf", "f0 f2"),
                              test::group_member("Af", "f", "f1 f3")},
                  .partitions = {{"f", 4}}}) == "f3 / f0 f2 / f1");
}

TEST_CASE("uniform levels: two members without a topic in common do not exchange through a third") {
  CHECK(levelled({.members = {test::group_member("C0", "ab", "a0 a1 a2 b0 b1 b2"),
                              test::group_member("C1", "bc", "c0 c1 c2"), test::group_member("C2", "c")},
                  .partitions = {{"a", 3}, {"b", 3}, {"c", 3}}}) == "a0 a1 a2 b0 / b1 b2 c0 / c1 c2");
}

TEST_CASE("uniform levels: who holds nothing of the topic gives nothing, however much it has") {
  CHECK(levelled({.members = {test::group_member("C0", "ab", "b0 b1 b2 b3"),
                              test::group_member("C1", "a", "a0 a1"), test::group_member("C2", "a")},
                  .partitions = {{"a", 2}, {"b", 4}}}) == "b0 b1 b2 b3 / a0 / a1");
}
