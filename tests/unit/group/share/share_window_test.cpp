// The window as a whole: where it begins and ends, what of it lasts, and what is told of it.
#include "group/share/share_window.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/shared_window.hpp"

using namespace seriatim;
using group::Acknowledging;
using group::DeliveryProgress;
using group::DeliveryState;
using group::ShareWindow;
using test::SharedWindow;

TEST_CASE("share window: finished records at its beginning are let go of, others wait for them") {
  SharedWindow shared;
  shared.fresh(1, 10);
  CHECK(shared.answer(1, {3, 5}, Acknowledging::accept).empty());
  CHECK(shared.text() == "0: 0..2 acquired x1, 3..5 acknowledged x1, 6..9 acquired x1");
  CHECK(shared.window.finished() == 3);
  CHECK(shared.answer(1, {0, 2}, Acknowledging::accept).empty());
  CHECK(shared.text() == "6: 6..9 acquired x1");
  CHECK(shared.answer(1, {6, 9}, Acknowledging::reject).empty());
  CHECK(shared.text() == "10:");
  CHECK(shared.window.start_offset() == 10);
  CHECK(shared.window.fresh_offset() == 10);
  CHECK(shared.window.finished() == 0);
}

TEST_CASE("share window: when the log begins later, nothing below is left (kafka-groups 2.1)") {
  SharedWindow shared;
  shared.fresh(1, 10);
  CHECK(shared.answer(1, {2, 3}, Acknowledging::accept).empty());
  SUBCASE("inside of a run") {
    shared.applied(shared.window.plan_log_start(5));
    CHECK(shared.text() == "5: 5..9 acquired x1");
  }
  SUBCASE("before finished ones: these go, too") {
    shared.applied(shared.window.plan_log_start(2));
    CHECK(shared.text() == "4: 4..9 acquired x1");
  }
  SUBCASE("behind the window: it goes on there") {
    shared.applied(shared.window.plan_log_start(30));
    CHECK(shared.text() == "30:");
    CHECK(shared.window.fresh_offset() == 30);
  }
  SUBCASE("before the window: nothing to do") {
    CHECK(shared.window.plan_log_start(0).empty());
    CHECK(shared.text() == "0: 0..1 acquired x1, 2..3 acknowledged x1, 4..9 acquired x1");
  }
}

TEST_CASE("share window: locks that run, that are over, and records that wait are told") {
  SharedWindow shared;
  CHECK_FALSE(shared.window.has_returned(0));
  CHECK_FALSE(shared.window.next_due_ms(0));
  shared.fresh(1, 4);  // Until 2'000.
  shared.now_ms = 1'500;
  shared.fresh(2, 4);  // Until 2'500.
  CHECK(shared.window.acquired(1'999) == 8);
  CHECK(shared.window.acquired(2'000) == 4);
  CHECK_FALSE(shared.window.has_returned(1'999));
  CHECK(shared.window.has_returned(2'000));
  CHECK(shared.window.next_due_ms(1'500) == 2'000);
  CHECK(shared.window.next_due_ms(2'000) == 2'500);
  CHECK_FALSE(shared.window.next_due_ms(2'500));

  shared.settings.due_ms = [](const void*, std::int64_t now_ms, std::int16_t) { return now_ms + 100; };
  CHECK(shared.answer(1, {0, 3}, Acknowledging::release).empty());
  CHECK_FALSE(shared.window.has_returned(1'599));
  CHECK(shared.window.has_returned(1'600));
  CHECK(shared.window.next_due_ms(1'500) == 1'600);
}

TEST_CASE("share window: a restart keeps counts and lets go of every lock (kafka-groups 2.8)") {
  SharedWindow shared;
  shared.settings.writes_letters = true;
  shared.fresh(1, 8);
  CHECK(shared.answer(1, {1, 1}, Acknowledging::accept).empty());
  CHECK(shared.answer(1, {2, 2}, Acknowledging::release).empty());
  CHECK(shared.answer(1, {3, 3}, Acknowledging::reject).empty());
  shared.released(2, 1);
  const std::string before = shared.text();
  CHECK(before == "0: 0 acquired x1, 1 acknowledged x1, 2 acquired x2, 3..7 acquired x1");
  shared.restart();
  CHECK(shared.text() == before);
  CHECK(shared.window.acquired(0) == 0);
  CHECK(shared.window.has_returned(0));
  CHECK(shared.answer(1, {4, 4}, Acknowledging::accept).starts_with("INVALID_RECORD_STATE"));
  shared.look_at_locks();
  CHECK(shared.text() == "0: 0 available x1, 1 acknowledged x1, 2 available x2, 3..7 available x1");
  CHECK(shared.released(3) == "0x2 2x3 3..7x2");
}

TEST_CASE("share window: a restart behind a gap reads on behind it") {
  SharedWindow shared;
  shared.fresh(1, {{0, 3}}, 20);
  CHECK(shared.text() == "0: 0..3 acquired x1, 4..19 archived x0");
  shared.restart();
  CHECK(shared.window.fresh_offset() == 20);
}

TEST_CASE("share window: a replay fills holes with records that were never delivered") {
  ShareWindow window(10);
  window.replay({.start_offset = -1, .runs = {{{13, 15}, DeliveryState::acquired, 2}}});
  CHECK(window.fresh_offset() == 16);
  CHECK(test::text_of(window.progress()) == "10: 13..15 acquired x2");
  SharedWindow shared;
  shared.window = std::move(window);
  CHECK(shared.released(1) == "10..12x1");
  shared.look_at_locks();
  CHECK(shared.released(1) == "13..15x3");
}

TEST_CASE("share window: a replay takes what is told in any state of the window") {
  ShareWindow window(DeliveryProgress{.start_offset = 5, .runs = {{{5, 9}, DeliveryState::acquired, 1}}});
  SUBCASE("older than the start: it is done already") {
    window.replay({.start_offset = 0, .runs = {{{0, 6}, DeliveryState::available, 2}}});
    CHECK(test::text_of(window.progress()) == "5: 5..6 available x2, 7..9 acquired x1");
    window.replay({.start_offset = 0, .runs = {{{0, 4}, DeliveryState::available, 2}}});
    CHECK(window.start_offset() == 5);
  }
  SUBCASE("a start that moves on") {
    window.replay({.start_offset = 8, .runs = {}});
    CHECK(test::text_of(window.progress()) == "8: 8..9 acquired x1");
    window.replay({.start_offset = 50, .runs = {}});
    CHECK(test::text_of(window.progress()) == "50:");
  }
  SUBCASE("finished ones at the beginning move the start") {
    window.replay({.start_offset = 5, .runs = {{{5, 7}, DeliveryState::archived, 1}}});
    CHECK(test::text_of(window.progress()) == "8: 8..9 acquired x1");
  }
}

TEST_CASE("share window: a death that was told before its letter was written is decided again") {
  SharedWindow shared;
  shared.window.replay({.start_offset = 0, .runs = {{{0, 1}, DeliveryState::archiving, 5}}});
  CHECK(shared.text() == "0: 0..1 acquired x5");
  CHECK(shared.window.plan_buried(std::vector<group::OffsetRun>{{0, 1}}).empty());
  shared.look_at_locks();
  CHECK(shared.text() == "2:");
}

TEST_CASE("share window: records that were told to be available and are the last stay in the progress") {
  ShareWindow window(0);
  window.replay({.start_offset = 0, .runs = {{{4, 5}, DeliveryState::available, 0}}});
  CHECK(ShareWindow(window.progress()).fresh_offset() == 6);
}
