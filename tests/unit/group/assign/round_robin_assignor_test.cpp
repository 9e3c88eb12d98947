#include "group/assign/round_robin_assignor.hpp"

#include <doctest/doctest.h>

#include <string>

#include "group/assign/assign.hpp"
#include "support/assignments.hpp"

namespace {

namespace test = seriatim::test;
using seriatim::AssignmentRequest;

std::string turns_of(const AssignmentRequest& request) {
  return test::text_of(seriatim::group::assign::assign(seriatim::Assignor::roundrobin, request));
}

}  // namespace

TEST_CASE("roundrobin: Kafka's tables E1 to E4 and E6") {
  CHECK(turns_of(test::group_alike({{"a", 7}}, {"", "", ""})) == "a0 a3 a6 / a1 a4 / a2 a5");
  CHECK(turns_of(test::group_alike({{"a", 3}, {"b", 3}}, {"", ""})) == "a0 a2 b1 / a1 b0 b2");
  CHECK(turns_of(test::group_alike({{"a", 2}, {"b", 5}}, {"", "", ""})) == "a0 b1 b4 / a1 b2 / b0 b3");
  CHECK(turns_of({.members = {test::group_member("C0", "a"), test::group_member("C1", "ab"),
                              test::group_member("C2", "abc")},
                  .partitions = {{"a", 1}, {"b", 2}, {"c", 3}}}) == "a0 / b0 / b1 c0 c1 c2");
  CHECK(turns_of(test::group_alike({{"a", 2}}, {"", "", ""})) == "a0 / a1 / -");
}

TEST_CASE("roundrobin: Kafka's tables E5 and E7, a member joins, and leaves") {
  CHECK(turns_of(test::group_alike({{"a", 4}, {"b", 4}}, {"", ""})) == "a0 a2 b0 b2 / a1 a3 b1 b3");
  CHECK(turns_of(test::group_alike({{"a", 4}, {"b", 4}}, {"a0 a2 b0 b2", "a1 a3 b1 b3", ""})) ==
        "a0 a3 b2 / a1 b0 b3 / a2 b1");
  CHECK(turns_of(
            {.members = {test::group_member("C0", "ab", "a0 a3 b2"), test::group_member("C2", "ab", "a2 b1")},
             .partitions = {{"a", 4}, {"b", 4}}}) == "a0 a2 b0 b2 / a1 a3 b1 b3");
}

TEST_CASE("roundrobin: static members come first, in the order of their instance ids") {
  CHECK(turns_of({.members = {test::group_member("A", "a"), test::group_member("B", "a", "", "y"),
                              test::group_member("C", "a", "", "x")},
                  .partitions = {{"a", 4}}}) == "a2 / a1 / a0 a3");
}
