#include "group/assign/range_assignor.hpp"

#include <doctest/doctest.h>

#include <string>

#include "group/assign/assign.hpp"
#include "support/assignments.hpp"

namespace {

namespace test = seriatim::test;
using seriatim::AssignmentRequest;

std::string ranges_of(const AssignmentRequest& request) {
  return test::text_of(seriatim::group::assign::assign(seriatim::Assignor::range, request));
}

}  // namespace

TEST_CASE("range: Kafka's tables E1 to E4 and E6") {
  CHECK(ranges_of(test::group_alike({{"a", 7}}, {"", "", ""})) == "a0 a1 a2 / a3 a4 / a5 a6");
  CHECK(ranges_of(test::group_alike({{"a", 3}, {"b", 3}}, {"", ""})) == "a0 a1 b0 b1 / a2 b2");
  CHECK(ranges_of(test::group_alike({{"a", 2}, {"b", 5}}, {"", "", ""})) == "a0 b0 b1 / a1 b2 b3 / b4");
  CHECK(ranges_of({.members = {test::group_member("C0", "a"), test::group_member("C1", "ab"),
                               test::group_member("C2", "abc")},
                   .partitions = {{"a", 1}, {"b", 2}, {"c", 3}}}) == "a0 / b0 / b1 c0 c1 c2");
  CHECK(ranges_of(test::group_alike({{"a", 2}}, {"", "", ""})) == "a0 / a1 / -");
}

TEST_CASE("range: Kafka's table E5, a member joins") {
  CHECK(ranges_of(test::group_alike({{"a", 4}, {"b", 4}}, {"", ""})) == "a0 a1 b0 b1 / a2 a3 b2 b3");
  CHECK(ranges_of(test::group_alike({{"a", 4}, {"b", 4}}, {"a0 a1 b0 b1", "a2 a3 b2 b3", ""})) ==
        "a0 a1 b0 b1 / a2 b2 / a3 b3");
}

TEST_CASE("range: Kafka's table E7, a member leaves") {
  CHECK(ranges_of({.members = {test::group_member("C0", "ab", "a0 a1 b0 b1"),
                               test::group_member("C2", "ab", "a3 b3")},
                   .partitions = {{"a", 4}, {"b", 4}}}) == "a0 a1 b0 b1 / a2 a3 b2 b3");
}

TEST_CASE("range: static members come first, in the order of their instance ids") {
  CHECK(ranges_of({.members = {test::group_member("A", "a"), test::group_member("B", "a", "", "y"),
                               test::group_member("C", "a", "", "x")},
                   .partitions = {{"a", 5}}}) == "a4 / a2 a3 / a0 a1");
}
