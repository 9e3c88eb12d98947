#include "group/assign/uniform_assignor.hpp"

#include <doctest/doctest.h>

#include <string>

#include "group/assign/assign.hpp"
#include "support/assignments.hpp"

namespace {

namespace test = seriatim::test;
using seriatim::AssignmentRequest;

std::string uniform_of(const AssignmentRequest& request) {
  return test::text_of(seriatim::group::assign::assign(seriatim::Assignor::uniform, request));
}

}  // namespace

// In Kafka's tables topic b comes before a, by the hashes of their ids; here a comes before b.
TEST_CASE("uniform: Kafka's tables E1 to E4 and E6") {
  CHECK(uniform_of(test::group_alike({{"a", 7}}, {"", "", ""})) == "a0 a1 / a2 a3 / a4 a5 a6");
  CHECK(uniform_of(test::group_alike({{"a", 3}, {"b", 3}}, {"", ""})) == "a0 a1 a2 / b0 b1 b2");
  CHECK(uniform_of(test::group_alike({{"a", 5}, {"b", 2}}, {"", "", ""})) == "a0 a1 / a2 a3 / a4 b0 b1");
  CHECK(uniform_of({.members = {test::group_member("C0", "a"), test::group_member("C1", "ab"),
                                test::group_member("C2", "abc")},
                    .partitions = {{"a", 1}, {"b", 2}, {"c", 3}}}) == "a0 / b0 b1 / c0 c1 c2");
  CHECK(uniform_of(test::group_alike({{"a", 2}}, {"", "", ""})) == "- / a0 / a1");
}

TEST_CASE("uniform: Kafka's table E5, a member joins") {
  CHECK(uniform_of(test::group_alike({{"a", 4}, {"b", 4}}, {"", ""})) == "a0 a1 a2 a3 / b0 b1 b2 b3");
  CHECK(uniform_of(test::group_alike({{"a", 4}, {"b", 4}}, {"a0 a1 a2 a3", "b0 b1 b2 b3", ""})) ==
        "a0 a1 a2 / b0 b1 b2 / a3 b3");
}

TEST_CASE("uniform: Kafka's table E7, a member leaves") {
  CHECK(uniform_of(test::group_alike({{"a", 4}, {"b", 4}}, {"", "", ""})) == "a0 a1 / a2 a3 b0 / b1 b2 b3");
  CHECK(uniform_of(
            {.members = {test::group_member("C0", "ab", "a0 a1"), test::group_member("C2", "ab", "b1 b2 b3")},
             .partitions = {{"a", 4}, {"b", 4}}}) == "a0 a1 a2 a3 / b0 b1 b2 b3");
}

TEST_CASE("uniform: what nobody had is dealt before what an owner had too much of") {
  CHECK(uniform_of(test::group_alike({{"a", 8}}, {"a0 a1 a2 a3 a4", "a5", ""})) ==
        "a0 a1 a2 / a5 a6 / a3 a4 a7");
}

TEST_CASE("uniform: static members come in the order of their member ids, as all do") {
  CHECK(uniform_of({.members = {test::group_member("A", "a"), test::group_member("B", "a", "", "x")},
                    .partitions = {{"a", 3}}}) == "a0 / a1 a2");
}
