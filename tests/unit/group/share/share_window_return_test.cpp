// Records that come back without an answer: locks, members that leave, gaps, letters.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "group/share/share_window.hpp"
#include "support/shared_window.hpp"

using namespace seriatim;
using group::Acknowledging;
using test::SharedWindow;

namespace {

constexpr group::ShareMemberId sleeper = 1;
constexpr group::ShareMemberId other_reader = 2;

/// Each record of three delivered twice, the last time to `sleeper`.
SharedWindow delivered_twice(std::int16_t limit) {
  SharedWindow shared;
  shared.settings.delivery_count_limit = 10;
  shared.fresh(sleeper, 3);
  shared.leave(sleeper);
  shared.released(sleeper);
  shared.settings.delivery_count_limit = limit;
  return shared;
}

}  // namespace

TEST_CASE("share window: a lock is over at its end, and its records come to others (kafka-groups 2.6)") {
  SharedWindow shared = delivered_twice(3);
  shared.now_ms += shared.lock_ms - 1;
  CHECK(shared.window.plan_overdue(shared.rules()).empty());
  shared.now_ms += 1;
  shared.look_at_locks();
  CHECK(shared.text() == "0: 0..2 available x2");
  CHECK(shared.released(other_reader) == "0x3");
}

TEST_CASE("share window: at the limit a lock that is over archives (kafka-groups 2.1)") {
  SharedWindow shared = delivered_twice(2);
  shared.now_ms += shared.lock_ms;
  shared.look_at_locks();
  CHECK(shared.text() == "3:");
}

TEST_CASE("share window: the records of a member that left come to others at once (kafka-groups 2.7)") {
  SharedWindow shared = delivered_twice(3);
  shared.fresh(other_reader, 2);
  shared.leave(sleeper);
  CHECK(shared.text() == "0: 0..2 available x2, 3..4 acquired x1");
  CHECK(shared.window.plan_leave(0, shared.rules()).empty());
  shared = delivered_twice(2);
  shared.leave(sleeper);
  CHECK(shared.text() == "3:");
}

TEST_CASE("share window: the locks of a member that sleeps stay until they run out (kafka-groups 2.7)") {
  SharedWindow shared;
  shared.fresh(sleeper, 3);
  shared.now_ms += shared.lock_ms / 2;
  shared.look_at_locks();
  CHECK(shared.released(other_reader).empty());
  shared.now_ms += shared.lock_ms / 2;
  shared.look_at_locks();
  CHECK(shared.released(other_reader) == "0..2x2");
  CHECK(shared.answer(sleeper, {0, 2}, Acknowledging::accept).starts_with("INVALID_RECORD_STATE"));
  CHECK(shared.answer(other_reader, {0, 2}, Acknowledging::accept).empty());
}

TEST_CASE("share window: acquired offsets that hold no record are done, of their member's only") {
  SharedWindow shared;
  shared.fresh(sleeper, 4);
  shared.fresh(other_reader, 4);
  const std::vector<group::OffsetRun> gaps{{6, 6}, {1, 4}, {2, 3}, {20, 30}};
  shared.applied(shared.window.plan_gaps(sleeper, gaps));
  CHECK(shared.text() == "0: 0 acquired x1, 1..3 archived x1, 4..7 acquired x1");
  shared.applied(shared.window.plan_gaps(other_reader, gaps));
  CHECK(shared.text() == "0: 0 acquired x1, 1..4 archived x1, 5 acquired x1, 6 archived x1, 7 acquired x1");
  CHECK(shared.window.plan_gaps(0, gaps).empty());
}

TEST_CASE("share window: a gap that lies within another one is told twice, and changes nothing else") {
  SharedWindow shared;
  shared.fresh(sleeper, 10);
  shared.applied(shared.window.plan_gaps(sleeper, std::vector<group::OffsetRun>{{1, 5}, {2, 3}}));
  CHECK(shared.text() == "0: 0 acquired x1, 1..5 archived x1, 6..9 acquired x1");
}

TEST_CASE("share window: a dead record is archiving until its letter is written, and told as acquired") {
  SharedWindow shared = delivered_twice(2);
  shared.settings.writes_letters = true;
  const group::ShareChange change = shared.window.plan_leave(sleeper, shared.rules());
  REQUIRE(change.runs.size() == 1);
  CHECK(change.runs[0].delivered.state == group::DeliveryState::archiving);
  CHECK(change.runs[0].member == sleeper);
  shared.applied(change);
  CHECK(shared.text() == "0: 0..2 acquired x2");
  CHECK(shared.window.acquired(0) == 0);
  CHECK_FALSE(shared.window.has_returned(shared.now_ms));
  shared.leave(sleeper);
  shared.look_at_locks();
  CHECK(shared.released(other_reader).empty());
  CHECK(shared.answer(sleeper, {0, 0}, Acknowledging::accept).starts_with("INVALID_RECORD_STATE"));

  shared.applied(shared.window.plan_buried(std::vector<group::OffsetRun>{{1, 1}}));
  CHECK(shared.text() == "0: 0 acquired x2, 1 archived x2, 2 acquired x2");
  shared.applied(shared.window.plan_buried(std::vector<group::OffsetRun>{{2, 9}, {0, 1}}));
  CHECK(shared.text() == "3:");
}

TEST_CASE("share window: only a dead record can be buried") {
  SharedWindow shared;
  shared.fresh(sleeper, 2);
  CHECK(shared.window.plan_buried(std::vector<group::OffsetRun>{{0, 1}}).empty());
  CHECK(shared.window.plan_not_buried(std::vector<group::OffsetRun>{{0, 1}}, 0).empty());
}

TEST_CASE("share window: a letter that was thought lost, and came after all, buries its record") {
  SharedWindow shared;
  shared.settings.writes_letters = true;
  shared.fresh(sleeper, 3);
  CHECK(shared.answer(sleeper, {0, 1}, Acknowledging::reject).empty());
  shared.applied(shared.window.plan_not_buried(std::vector<group::OffsetRun>{{0, 1}}, shared.now_ms + 50));
  shared.applied(shared.window.plan_buried(std::vector<group::OffsetRun>{{0, 0}}));
  CHECK(shared.text() == "1: 1..2 acquired x1");
  shared.now_ms += 50;
  const group::ShareChange change = shared.window.plan_overdue(shared.rules());
  REQUIRE(change.runs.size() == 1);
  CHECK(change.runs[0].delivered.offsets == group::OffsetRun{1, 1});
}

TEST_CASE("share window: a record whose letter could not be written dies again later, at any count") {
  SharedWindow shared;
  shared.settings.writes_letters = true;
  shared.fresh(sleeper, 2);
  CHECK(shared.answer(sleeper, {0, 0}, Acknowledging::reject).empty());
  const std::vector<group::OffsetRun> dead{{0, 0}};
  shared.applied(shared.window.plan_not_buried(dead, shared.now_ms + 50));
  CHECK(shared.window.next_due_ms(shared.now_ms) == shared.now_ms + 50);
  CHECK(shared.answer(sleeper, {0, 0}, Acknowledging::accept).starts_with("INVALID_RECORD_STATE"));
  shared.look_at_locks();
  shared.now_ms += 50;
  const group::ShareChange change = shared.window.plan_overdue(shared.rules());
  REQUIRE(change.runs.size() == 1);
  CHECK(change.runs[0].delivered == group::DeliveredRun{{0, 0}, group::DeliveryState::archiving, 1});
  shared.applied(change);
  shared.applied(shared.window.plan_buried(dead));
  CHECK(shared.text() == "1: 1 acquired x1");
}

TEST_CASE("share window: a dead record has its reason until its letter is written") {
  SharedWindow shared;
  shared.settings.writes_letters = true;
  shared.settings.delivery_count_limit = 1;
  shared.fresh(sleeper, 2);
  const std::vector<group::Acknowledgement> answers{{{0, 0}, Acknowledging::reject},
                                                    {{1, 1}, Acknowledging::release}};
  CHECK(shared.answer(sleeper, answers).empty());
  for (int attempt = 0; attempt < 2; ++attempt) {
    CHECK(shared.window.runs().find(0)->second.is_rejected);
    CHECK_FALSE(shared.window.runs().find(1)->second.is_rejected);
    shared.applied(shared.window.plan_not_buried(std::vector<group::OffsetRun>{{0, 1}}, shared.now_ms + 50));
    shared.now_ms += 50;
    const group::ShareChange change = shared.window.plan_overdue(shared.rules());
    REQUIRE(change.runs.size() == 2);
    CHECK(change.runs[0].is_rejected);
    CHECK_FALSE(change.runs[1].is_rejected);
    shared.applied(change);
  }
  shared.applied(shared.window.plan_buried(std::vector<group::OffsetRun>{{0, 1}}));
  CHECK(shared.text() == "2:");
}
