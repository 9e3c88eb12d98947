#include "flow/delayed/delayed_ids.hpp"

#include <doctest/doctest.h>

#include <set>

#include "support/must.hpp"

namespace seriatim::flow {
namespace {
Timestamp due_ms(std::int64_t count) { return Timestamp{std::chrono::milliseconds{count}}; }
}  // namespace

TEST_CASE("a made id says when its message is due") {
  DelayedIds ids;
  for (const std::int64_t due : {0LL, 1'700'000'000'123LL, 253'402'300'799'999LL}) {
    const std::string id = ids.make(due_ms(due));
    CHECK(id.size() == 32);
    CHECK(made_due(id) == due_ms(due));
  }
}

TEST_CASE("made ids differ, of one object in the order of their making") {
  DelayedIds one;
  DelayedIds other;
  std::set<std::string> seen;
  std::string before;
  for (int i = 0; i < 1'000; ++i) {
    const std::string id = one.make(due_ms(5));
    CHECK(before < id);
    before = id;
    CHECK(seen.insert(id).second);
    CHECK(seen.insert(other.make(due_ms(5))).second);
  }
}

TEST_CASE("what is no made id says nothing") {
  CHECK_FALSE(made_due(""));
  CHECK_FALSE(made_due("order-17"));
  CHECK_FALSE(made_due(std::string(31, '0')));
  CHECK_FALSE(made_due(std::string(33, '0')));
  CHECK_FALSE(made_due(std::string(31, '0') + "G"));
  CHECK_FALSE(made_due(std::string(31, '0') + "A"));
}

TEST_CASE("ids and due times out of range are refused") {
  CHECK(check_delayed_id("x"));
  CHECK(check_delayed_id(std::string(200, 'x')));
  for (const auto& checked :
       {check_delayed_id(""), check_delayed_id(std::string(201, 'x')), check_due(due_ms(-1)),
        check_due(due_ms(253'402'300'800'000)), check_due(Timestamp::max())}) {
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code() == Errc::invalid_argument);
  }
  CHECK(check_due(due_ms(0)));
  CHECK(check_due(due_ms(253'402'300'799'999)));
}

}  // namespace seriatim::flow
