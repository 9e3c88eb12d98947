#include "group/assign/cooperative_sticky_assignor.hpp"

#include <doctest/doctest.h>

#include <string>

#include "group/assign/assign.hpp"
#include "support/assignments.hpp"

namespace {

namespace test = seriatim::test;
using seriatim::AssignmentRequest;

std::string cooperative_of(const AssignmentRequest& request) {
  return test::text_of(seriatim::group::assign::assign(seriatim::Assignor::cooperative_sticky, request));
}

}  // namespace

TEST_CASE("cooperative-sticky: Kafka's tables E1 to E4 and E6") {
  CHECK(cooperative_of(test::group_alike({{"a", 7}}, {"", "", ""})) == "a0 a3 a6 / a1 a4 / a2 a5");
  CHECK(cooperative_of(test::group_alike({{"a", 3}, {"b", 3}}, {"", ""})) == "a0 a2 b1 / a1 b0 b2");
  CHECK(cooperative_of(test::group_alike({{"a", 2}, {"b", 5}}, {"", "", ""})) == "a0 b1 b4 / a1 b2 / b0 b3");
  CHECK(cooperative_of({.members = {test::group_member("C0", "a"), test::group_member("C1", "ab"),
                                    test::group_member("C2", "abc")},
                        .partitions = {{"a", 1}, {"b", 2}, {"c", 3}}}) == "a0 / b0 b1 / c0 c1 c2");
  CHECK(cooperative_of(test::group_alike({{"a", 2}}, {"", "", ""})) == "a0 / a1 / -");
}

TEST_CASE(
    "cooperative-sticky: Kafka's table E5, a member that joins gets its partitions in the second round") {
  CHECK(cooperative_of(test::group_alike({{"a", 4}, {"b", 4}}, {"a0 a2 b0 b2", "a1 a3 b1 b3", ""})) ==
        "a0 a2 b0 / a1 a3 b1 / -");
  CHECK(cooperative_of(test::group_alike({{"a", 4}, {"b", 4}}, {"a0 a2 b0", "a1 a3 b1", ""})) ==
        "a0 a2 b0 / a1 a3 b1 / b2 b3");
}

TEST_CASE("cooperative-sticky: Kafka's table E7, what a member left behind is assigned in one round") {
  CHECK(cooperative_of(
            {.members = {test::group_member("C0", "ab", "a0 a3 b2"), test::group_member("C2", "ab", "a2 b1")},
             .partitions = {{"a", 4}, {"b", 4}}}) == "a0 a1 a3 b2 / a2 b0 b1 b3");
}

TEST_CASE("cooperative-sticky: a partition of two owners waits where all subscribe alike") {
  CHECK(cooperative_of(test::group_alike({{"a", 2}}, {"a0", "a0"})) == "- / a1");
  CHECK(
      cooperative_of({.members = {test::group_member("C0", "a", "a0"), test::group_member("C1", "ab", "a0")},
                      .partitions = {{"a", 2}, {"b", 1}}}) == "a0 a1 / b0");
}

TEST_CASE("cooperative-sticky: a partition of a topic that its owner gave up waits for it") {
  CHECK(cooperative_of({.members = {test::group_member("C0", "b", "a0"), test::group_member("C1", "a", "a1")},
                        .partitions = {{"a", 2}, {"b", 1}}}) == "b0 / a1");
}
