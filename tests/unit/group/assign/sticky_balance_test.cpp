#include <doctest/doctest.h>

#include <string>

#include "group/assign/roster.hpp"
#include "group/assign/sticky_assignor.hpp"
#include "support/assignments.hpp"

namespace {

namespace assign = seriatim::group::assign;
namespace test = seriatim::test;

std::string balanced(const seriatim::AssignmentRequest& request) {
  const assign::Roster roster(request);
  return test::text_of(roster.named(assign::assign_by_balancing(roster)));
}

}  // namespace

TEST_CASE("sticky balance: topics with few subscribers are served first") {
  CHECK(balanced({.members = {test::group_member("C0", "ab"), test::group_member("C1", "a")},
                  .partitions = {{"a", 2}, {"b", 2}}}) == "b0 b1 / a0 a1");
}

TEST_CASE("sticky balance: an assignment as good as can be stays, although sizes are far apart") {
  const std::string owned = "b0 b1 b2 b3";
  CHECK(balanced({.members = {test::group_member("C0", "a", "a0"), test::group_member("C1", "ab", owned)},
                  .partitions = {{"a", 1}, {"b", 4}}}) == "a0 / " + owned);
}

TEST_CASE("sticky balance: a member gives up what it does not subscribe to any more, and no more than that") {
  CHECK(balanced(
            {.members = {test::group_member("C0", "a", "a0 a1 b0"), test::group_member("C1", "ab", "b1 a2")},
             .partitions = {{"a", 3}, {"b", 2}}}) == "a0 a1 / a2 b0 b1");
}

TEST_CASE("sticky balance: a member that joins gets from the heaviest only") {
  CHECK(balanced({.members = {test::group_member("C0", "ab", "a0 a1 a2 a3"),
                              test::group_member("C1", "b", "b0"), test::group_member("C2", "a")},
                  .partitions = {{"a", 4}, {"b", 1}}}) == "a2 a3 / b0 / a0 a1");
}

TEST_CASE("sticky balance: a partition that came back to its first owner has not moved") {
  CHECK(
      balanced({.members = {test::group_member("Aa", "df", "d5 d7 d9 d11 f1 f2 f3 f4"),
                            test::group_member("Ad", "cdex", "d0 d1 d2 d3 d4 d6 d8 d10"),
                            test::group_member("Ak", "bef", "b0 b1 b2 b3 b4 b5 f0"),
                            test::group_member("Al", "acdef"), test::group_member("Ap", "ae", "a0 a1 a2 e0")},
                .partitions = {{"a", 3}, {"b", 6}, {"d", 12}, {"e", 1}, {"f", 5}}}) ==
      "d9 d11 f1 f2 f3 f4 / d4 d5 d6 d8 d10 / b0 b1 b2 b3 b4 b5 / d0 d1 d2 d3 d7 f0 / a0 a1 a2 e0");
}

// Kafka's assignor (consumer 3.9.0) was given this group and had not answered when it was stopped.
TEST_CASE("sticky balance: a group with which Kafka's assignor never ends is balanced") {
  const seriatim::AssignmentRequest request{
      .members = {test::group_member("Ah", "bef", "e4 e6 e8 e10 e12 e14 e16 e18"),
                  test::group_member("Ai", "a", "a0 a1 a2"), test::group_member("Aj", "df", "d0 d1 d3 f1 f2"),
                  test::group_member("Ak", "adf", "d2 d4 f0 f3"), test::group_member("Al", "de"),
                  test::group_member("Ao", "abce", "e0 e1 e2 e3 e19 e20 e21"),
                  test::group_member("Ap", "cex", "e5 e7 e9 e11 e13 e15 e17")},
      .partitions = {{"a", 3}, {"d", 5}, {"e", 22}, {"f", 4}}};
  CHECK(balanced(request) ==
        "e8 e10 e12 e14 e16 e18 / a0 a1 a2 / d0 d1 d2 f1 f2 / d3 d4 f0 f3 / e0 e1 e2 e4 e6 / e3 e5 e19 e20 "
        "e21 / "
        "e7 e9 e11 e13 e15 e17");
}
