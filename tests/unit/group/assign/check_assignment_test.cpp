#include <doctest/doctest.h>

#include <string>

#include "group/assign/assign.hpp"
#include "support/assignments.hpp"

namespace {

namespace test = seriatim::test;

std::string complaint(const seriatim::Assignment& assignment) {
  const seriatim::AssignmentRequest request{
      .members = {test::group_member("A", "a"), test::group_member("B", "abx")},
      .partitions = {{"a", 2}, {"b", 1}, {"c", 1}}};
  const auto checked = seriatim::group::assign::check_assignment(request, assignment);
  if (checked) return "";
  CHECK(checked.error().code() == seriatim::Errc::invalid_argument);
  return checked.error().message();
}

}  // namespace

TEST_CASE("check of an assignment: a whole one passes, with members without partitions left out") {
  CHECK(complaint({{"A", test::partitions_of("a0")}, {"B", test::partitions_of("a1 b0")}}) == "");
  CHECK(complaint({{"B", test::partitions_of("b0 a0 a1")}}) == "");
}

TEST_CASE("check of an assignment: each fault names the partition and the member, and says what to do") {
  CHECK(complaint({{"A", test::partitions_of("a0 a1")}, {"B", test::partitions_of("b0 a1")}}) ==
        "the application's assignor: partition a-1 was given to member 'A' and to member 'B'; give each "
        "partition "
        "to one member, once");
  CHECK(complaint({{"A", test::partitions_of("a0 a1 b0")}}) ==
        "the application's assignor: partition b-0 was given to member 'A', which does not subscribe to the "
        "topic; "
        "give it to a member with the topic in GroupMember::topics");
  CHECK(complaint({{"B", test::partitions_of("a0 b0")}}) ==
        "the application's assignor: partition a-1 was given to nobody, and member 'A' subscribes to the "
        "topic; give "
        "every partition of a subscribed topic to a subscriber");
  CHECK(complaint({{"B", test::partitions_of("a0 a1 a2 b0")}}) ==
        "the application's assignor: partition a-2 was given to member 'B', and the topic has 2 partitions; "
        "assign "
        "partitions from 0 to the count less one");
  CHECK(
      complaint({{"B", test::partitions_of("a0 a1 b0 x0")}}) ==
      "the application's assignor: partition x-0 was given to member 'B', and there is no such topic; assign "
      "topics of AssignmentRequest::partitions only");
  CHECK(complaint({{"D", {}}, {"B", test::partitions_of("a0 a1 b0")}}) ==
        "the application's assignor: the group has no member 'D'; answer with the ids of "
        "AssignmentRequest::members");
}

TEST_CASE("check of an assignment: the same partition twice in one member is refused") {
  CHECK(complaint({{"B", test::partitions_of("a0 a0 a1 b0")}}) ==
        "the application's assignor: partition a-0 was given to member 'B' and to member 'B'; give each "
        "partition to "
        "one member, once");
}

TEST_CASE("check of an assignment: a negative partition is refused") {
  CHECK(complaint({{"B", {{"a", -1}}}}).find("partition a--1 was given to member 'B'") != std::string::npos);
}
