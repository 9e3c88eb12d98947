// The answers of a member, each on each state (kafka-groups 2.1 and 2.6).
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "group/share/share_window.hpp"
#include "support/shared_window.hpp"

using namespace seriatim;
using group::Acknowledgement;
using group::Acknowledging;
using test::SharedWindow;

namespace {

constexpr group::ShareMemberId answerer = 1;
constexpr group::ShareMemberId stranger = 2;

SharedWindow ten_acquired() {
  SharedWindow shared;
  shared.fresh(answerer, 10);
  return shared;
}

void check_refused(SharedWindow& shared, group::ShareMemberId member, group::OffsetRun offsets,
                   const std::string& reason) {
  const std::string before = shared.text();
  const std::string error = shared.answer(member, offsets, Acknowledging::accept);
  CAPTURE(error);
  CHECK(error.starts_with("INVALID_RECORD_STATE"));
  CHECK(error.find(reason) != std::string::npos);
  CHECK(shared.text() == before);
}

}  // namespace

TEST_CASE("share window: each answer has its effect, and keeps the count (kafka-groups 2.1)") {
  SharedWindow shared = ten_acquired();
  CHECK(shared
            .answer(answerer, {{{1, 1}, Acknowledging::accept},
                               {{2, 2}, Acknowledging::release},
                               {{3, 3}, Acknowledging::reject},
                               {{4, 4}, Acknowledging::renew}})
            .empty());
  CHECK(shared.text() ==
        "0: 0 acquired x1, 1 acknowledged x1, 2 available x1, 3 archived x1, 4..9 acquired x1");
}

TEST_CASE("share window: a release at the limit archives, one below it does not (kafka-groups 2.1)") {
  SharedWindow shared{.settings = {.delivery_count_limit = 2}};
  shared.fresh(answerer, 1);
  CHECK(shared.answer(answerer, {0, 0}, Acknowledging::release).empty());
  CHECK(shared.text() == "0: 0 available x1");
  CHECK(shared.released(answerer) == "0x2");
  SUBCASE("without letters") {
    CHECK(shared.answer(answerer, {0, 0}, Acknowledging::release).empty());
    CHECK(shared.text() == "1:");
  }
  SUBCASE("with letters it is archiving first") {
    shared.settings.writes_letters = true;
    CHECK(shared.answer(answerer, {0, 0}, Acknowledging::release).empty());
    CHECK(shared.text() == "0: 0 acquired x2");
    CHECK_FALSE(shared.window.plan_buried(std::vector<group::OffsetRun>{{0, 0}}).empty());
  }
}

TEST_CASE("share window: a reject with letters is archiving at any count (kafka-groups 2.1)") {
  SharedWindow shared{.settings = {.writes_letters = true}};
  shared.fresh(answerer, 1);
  CHECK(shared.answer(answerer, {0, 0}, Acknowledging::reject).empty());
  CHECK_FALSE(shared.window.plan_buried(std::vector<group::OffsetRun>{{0, 0}}).empty());
}

TEST_CASE("share window: a renewed lock starts anew, as often as it is asked for (kafka-groups 2.6)") {
  SharedWindow shared = ten_acquired();
  for (int renewal = 0; renewal < 20; ++renewal) {
    shared.now_ms += shared.lock_ms - 1;
    CHECK(shared.answer(answerer, {0, 4}, Acknowledging::renew).empty());
  }
  CHECK(shared.window.acquired(shared.now_ms) == 5);
  CHECK(shared.text() == "0: 0..9 acquired x1");
  shared.now_ms += shared.lock_ms;
  check_refused(shared, answerer, {0, 0}, "its lock ran out 0 ms ago");
}

TEST_CASE("share window: one answer may span several runs, and answers come in any order") {
  SharedWindow shared = ten_acquired();
  CHECK(shared.answer(answerer, {4, 5}, Acknowledging::renew).empty());
  shared.now_ms += 10;
  CHECK(shared.answer(answerer, {6, 6}, Acknowledging::renew).empty());
  CHECK(shared.answer(answerer, {{{8, 9}, Acknowledging::release}, {{1, 7}, Acknowledging::accept}}).empty());
  CHECK(shared.text() == "0: 0 acquired x1, 1..7 acknowledged x1, 8..9 available x1");
}

TEST_CASE("share window: a record that the member does not hold is refused, and its state said") {
  SharedWindow shared = ten_acquired();
  SUBCASE("never delivered") {
    check_refused(shared, answerer, {10, 10}, "offset 10 was never delivered");
    check_refused(shared, answerer, {8, 12}, "offset 10 was never delivered");
  }
  SUBCASE("another's") {
    check_refused(shared, stranger, {3, 3}, "offset 3 is not acquired by this consumer");
  }
  SUBCASE("nobody's") { check_refused(shared, 0, {3, 3}, "offset 3 is not acquired by this consumer"); }
  SUBCASE("released") {
    CHECK(shared.answer(answerer, {3, 3}, Acknowledging::release).empty());
    check_refused(shared, answerer, {1, 5}, "offset 3 is not acquired: it was released");
  }
  SUBCASE("acknowledged") {
    CHECK(shared.answer(answerer, {3, 3}, Acknowledging::accept).empty());
    check_refused(shared, answerer, {1, 5}, "offset 3 is acknowledged already");
  }
  SUBCASE("archived") {
    CHECK(shared.answer(answerer, {3, 3}, Acknowledging::reject).empty());
    check_refused(shared, answerer, {1, 5}, "offset 3 is archived already");
  }
  SUBCASE("let go of") {
    CHECK(shared.answer(answerer, {0, 3}, Acknowledging::accept).empty());
    check_refused(shared, answerer, {2, 5}, "offset 2 is done already");
  }
  SUBCASE("its lock ran out, whether that was looked at or not") {
    shared.now_ms += shared.lock_ms + 7;
    check_refused(shared, answerer, {3, 3}, "its lock ran out 7 ms ago");
    shared.look_at_locks();
    check_refused(shared, answerer, {3, 3}, "or its lock ran out");
  }
}

TEST_CASE("share window: one answer that is refused undoes all of its call (kafka-groups 2.6)") {
  SharedWindow shared = ten_acquired();
  const std::string before = shared.text();
  CHECK(shared.answer(answerer, {{{0, 0}, Acknowledging::accept}, {{20, 20}, Acknowledging::accept}})
            .starts_with("INVALID_RECORD_STATE"));
  CHECK(shared.text() == before);
}

TEST_CASE("share window: two answers for one offset, or a wrong one, are the caller's mistake") {
  SharedWindow shared = ten_acquired();
  const std::string before = shared.text();
  const std::vector<std::vector<Acknowledgement>> wrong{
      {{{0, 3}, Acknowledging::accept}, {{3, 4}, Acknowledging::release}},
      {{{3, 4}, Acknowledging::accept}, {{0, 3}, Acknowledging::accept}},
      {{{3, 2}, Acknowledging::accept}},
      {{{-1, 2}, Acknowledging::accept}},
      {{{0, 0}, static_cast<Acknowledging>(5)}},
      {{{0, 0}, static_cast<Acknowledging>(0)}}};
  for (const auto& answers : wrong) CHECK(shared.answer(answerer, answers).starts_with("INVALID_ARGUMENT"));
  CHECK(shared.text() == before);
}

TEST_CASE("share window: an answer for records that the log deleted is taken (kafka-groups 2.8)") {
  SharedWindow shared = ten_acquired();
  shared.applied(shared.window.plan_log_start(4));
  CHECK(shared.answer(answerer, {0, 3}, Acknowledging::accept).empty());
  CHECK(shared.answer(answerer, {2, 5}, Acknowledging::accept).empty());
  CHECK(shared.text() == "6: 6..9 acquired x1");
  check_refused(shared, answerer, {4, 4}, "offset 4 is done already");
}

TEST_CASE("share window: an acquired record has one member, whose answer alone counts") {
  SharedWindow shared;
  shared.fresh(answerer, 4);
  shared.now_ms += shared.lock_ms;
  shared.look_at_locks();
  CHECK(shared.released(stranger) == "0..3x2");
  check_refused(shared, answerer, {0, 0}, "not acquired by this consumer");
  CHECK(shared.answer(stranger, {0, 3}, Acknowledging::accept).empty());
  CHECK(shared.text() == "4:");
}
