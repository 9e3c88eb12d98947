#include <doctest/doctest.h>

#include <string>

#include "group/assign/roster.hpp"
#include "group/assign/sticky_assignor.hpp"
#include "support/assignments.hpp"

namespace {

namespace assign = seriatim::group::assign;
namespace test = seriatim::test;

std::string by_quota(const seriatim::AssignmentRequest& request) {
  const assign::Roster roster(request);
  return test::text_of(roster.named(assign::assign_by_quota(roster)));
}

}  // namespace

TEST_CASE("sticky quotas: an owner of too many keeps those with low numbers, of every topic") {
  CHECK(by_quota(test::group_alike({{"a", 3}, {"b", 3}}, {"a0 a1 a2 b0 b1 b2", ""})) ==
        "a0 a1 b0 / a2 b1 b2");
}

TEST_CASE(
    "sticky quotas: members below the minimum come first, then those that had it, then those that got it") {
  CHECK(by_quota(test::group_alike({{"a", 5}}, {"", "a3 a4"})) == "a0 a1 / a2 a3 a4");
  CHECK(by_quota(test::group_alike({{"a", 5}}, {"a4", "a2"})) == "a0 a3 a4 / a1 a2");
}

TEST_CASE("sticky quotas: only so many members keep one more than the minimum as there are such shares") {
  CHECK(by_quota(test::group_alike({{"a", 4}}, {"a0 a1", "a2 a3", ""})) == "a0 a1 / a2 / a3");
}

TEST_CASE("sticky quotas: a partition that two members own is nobody's") {
  CHECK(by_quota(test::group_alike({{"a", 4}}, {"a0 a2", "a0 a3"})) == "a0 a2 / a1 a3");
}
