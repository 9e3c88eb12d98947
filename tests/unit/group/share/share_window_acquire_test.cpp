// Which records a poll gets: the order, the halving of bad batches and the limit of the window.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "group/share/share_window.hpp"
#include "support/shared_window.hpp"

using namespace seriatim;
using group::Acknowledging;
using test::SharedWindow;

namespace {

constexpr group::ShareMemberId reader = 1;

/// A member polls and releases all it gets, until nothing comes any more. Each poll as text.
std::vector<std::string> walk(SharedWindow& shared) {
  std::vector<std::string> polls;
  for (std::string got = shared.released(reader); !got.empty(); got = shared.released(reader)) {
    polls.push_back(got);
    shared.leave(reader);
  }
  return polls;
}

/// The walk of a batch of 16, its first delivery left out.
std::vector<std::string> walk_of_16(std::int16_t limit) {
  SharedWindow shared;
  shared.settings.delivery_count_limit = limit;
  shared.fresh(reader, {{0, 15}}, 16);
  shared.leave(reader);
  std::vector<std::string> polls = walk(shared);
  CHECK(shared.text() == "16:");
  return polls;
}

using Polls = std::vector<std::string>;

/// The last deliveries of `first` to `last`, one by one, from delivery `from` to `to` each.
void append_singles(Polls& polls, Offset first, Offset last, int from, int to) {
  for (Offset offset = first; offset <= last; ++offset) {
    for (int delivery = from; delivery <= to; ++delivery)
      polls.push_back(std::to_string(offset) + "x" + std::to_string(delivery));
  }
}

}  // namespace

TEST_CASE("share window: the count rises when a record is acquired, and only then (kafka-groups 2.1)") {
  SharedWindow shared;
  CHECK(shared.fresh(reader, 3) == "0..2x1");
  CHECK(shared.answer(reader, {0, 0}, Acknowledging::renew).empty());
  CHECK(shared.answer(reader, {1, 1}, Acknowledging::release).empty());
  CHECK(shared.text() == "0: 0 acquired x1, 1 available x1, 2 acquired x1");
  CHECK(shared.released(2) == "1x2");
}

TEST_CASE("share window: released records come in the order of their offsets (kafka-groups 2.4)") {
  SharedWindow shared;
  shared.fresh(reader, 10);
  for (Offset offset : {5, 3, 8})
    CHECK(shared.answer(reader, {offset, offset}, Acknowledging::release).empty());
  CHECK(shared.released(2, 2) == "3x2 5x2");
  CHECK_FALSE(shared.is_alone);
  CHECK(shared.released(2, 2) == "8x2");
  CHECK(shared.fresh(2, 2) == "10..11x1");
}

TEST_CASE("share window: a poll gets no more released records than it asks for") {
  SharedWindow shared;
  shared.fresh(reader, 10);
  shared.leave(reader);
  CHECK(shared.released(2, 3) == "0..2x2");
  CHECK(shared.released(3, 100) == "3..9x2");
}

TEST_CASE("share window: a released record that has to wait is passed over until its time") {
  SharedWindow shared;
  shared.settings.due_ms = [](const void*, std::int64_t now_ms, std::int16_t count) {
    return now_ms + 100 * count;
  };
  shared.fresh(reader, 4);
  CHECK(shared.answer(reader, {1, 1}, Acknowledging::release).empty());
  shared.settings.due_ms = nullptr;
  CHECK(shared.answer(reader, {3, 3}, Acknowledging::release).empty());
  CHECK(shared.released(2) == "3x2");
  shared.now_ms += 99;
  CHECK(shared.released(2).empty());
  shared.now_ms += 1;
  CHECK(shared.released(2) == "1x2");
}

TEST_CASE("share window: a released batch of 16, at most 3 deliveries (kafka-groups 2.4)") {
  Polls expected{"0..15x2"};
  append_singles(expected, 0, 15, 3, 3);
  CHECK(walk_of_16(3) == expected);
}

TEST_CASE("share window: a released batch of 16, at most 5 deliveries (kafka-groups 2.4)") {
  Polls expected{"0..15x2", "0..15x3"};
  for (Offset first : {0, 8}) {
    expected.push_back(first == 0 ? "0..7x4" : "8..15x4");
    append_singles(expected, first, first + 7, 5, 5);
  }
  CHECK(walk_of_16(5) == expected);
}

TEST_CASE("share window: a released batch of 16, at most 10 deliveries (kafka-groups 2.4)") {
  Polls expected{"0..15x2", "0..15x3", "0..15x4", "0..15x5"};
  for (Offset half : {0, 8}) {
    expected.push_back(half == 0 ? "0..7x6" : "8..15x6");
    for (Offset quarter : {half, half + 4}) {
      expected.push_back(test::text_of(group::OffsetRun{quarter, quarter + 3}) + "x7");
      for (Offset pair : {quarter, quarter + 2}) {
        expected.push_back(test::text_of(group::OffsetRun{pair, pair + 1}) + "x8");
        append_singles(expected, pair, pair + 1, 9, 10);
      }
    }
  }
  CHECK(walk_of_16(10) == expected);
  CHECK(expected[4] == "0..7x6");
  CHECK(expected[6] == "0..1x8");
  CHECK(expected[7] == "0x9");
}

TEST_CASE("share window: 16 batches of one record that come together are halved as one (kafka-groups 2.4)") {
  SharedWindow shared;
  shared.settings.delivery_count_limit = 10;
  shared.fresh(reader, 16);
  shared.leave(reader);
  CHECK(walk(shared) == walk_of_16(10));
}

TEST_CASE("share window: what was accepted of a batch does not change how it is halved") {
  SharedWindow shared;
  shared.settings.delivery_count_limit = 5;
  shared.fresh(reader, {{0, 15}}, 16);
  CHECK(shared.answer(reader, {0, 3}, Acknowledging::accept).empty());
  CHECK(shared.answer(reader, {8, 8}, Acknowledging::accept).empty());
  for (int delivery = 2; delivery <= 3; ++delivery) {
    shared.leave(reader);
    shared.released(reader);
  }
  shared.leave(reader);
  CHECK(shared.released(reader) == "4..7x4");
  CHECK(shared.is_alone);
  CHECK(shared.released(2) == "9..15x4");
}

TEST_CASE("share window: behind a restart a run is halved by its own size") {
  SharedWindow shared;
  shared.fresh(reader, {{0, 15}}, 16);
  CHECK(shared.answer(reader, {0, 7}, Acknowledging::accept).empty());
  for (int delivery = 2; delivery <= 3; ++delivery) {
    shared.leave(reader);
    shared.released(reader);
  }
  shared.restart();
  shared.look_at_locks();
  CHECK(shared.released(reader) == "8..11x4");
}

TEST_CASE("share window: a part of a batch may come behind others, but nothing behind it") {
  SharedWindow shared;
  shared.fresh(reader, {{0, 3}}, 4);
  shared.leave(reader);
  shared.released(2);
  shared.leave(2);
  shared.released(2);
  // 0..3 have three deliveries. Before them there is nothing, behind them 4..7 with one.
  shared.fresh(3, {{4, 7}}, 8);
  shared.leave(3);
  shared.leave(2);
  CHECK(shared.released(reader) == "0..1x4");
  CHECK(shared.is_alone);
  CHECK(shared.released(2) == "2..3x4");
  CHECK(shared.is_alone);
  CHECK(shared.released(2) == "4..7x2");
  CHECK_FALSE(shared.is_alone);
}

TEST_CASE("share window: the last delivery of a record is alone, with nothing before and behind it") {
  SharedWindow shared;
  shared.settings.delivery_count_limit = 3;
  shared.fresh(reader, 6);
  CHECK(shared.answer(reader, {2, 3}, Acknowledging::release).empty());
  CHECK(shared.released(2) == "2..3x2");
  shared.leave(2);
  shared.leave(reader);
  CHECK(shared.text() == "0: 0..1 available x1, 2..3 available x2, 4..5 available x1");
  CHECK(shared.released(reader) == "0..1x2");
  CHECK(shared.is_alone);
  CHECK(shared.released(reader) == "2x3");
  CHECK(shared.is_alone);
  CHECK(shared.released(reader) == "3x3");
  CHECK(shared.is_alone);
  CHECK(shared.released(reader) == "4..5x2");
  CHECK_FALSE(shared.is_alone);
}

TEST_CASE("share window: a limit below the count still delivers once more, alone (kafka-groups 2.1)") {
  SharedWindow shared;
  shared.settings.delivery_count_limit = 6;
  shared.fresh(reader, 3);
  for (int delivery = 2; delivery <= 3; ++delivery) {
    shared.leave(reader);
    shared.released(reader);
  }
  shared.leave(reader);
  CHECK(shared.text() == "0: 0..2 available x3");
  shared.settings.delivery_count_limit = 2;
  for (const char* got : {"0x4", "1x4", "2x4"}) {
    CHECK(shared.released(reader) == got);
    CHECK(shared.is_alone);
    shared.leave(reader);
  }
  CHECK(shared.text() == "3:");
}

TEST_CASE("share window: records that were delivered very often stay countable") {
  SharedWindow shared;
  shared.window.replay({.start_offset = 0, .runs = {{{0, 0}, group::DeliveryState::available, 32'767}}});
  shared.settings.delivery_count_limit = 32'767;
  CHECK(shared.released(reader) == "0x32767");
}

TEST_CASE("share window: fresh records are taken from where the window ends, and only there") {
  SharedWindow shared;
  shared.fresh(reader, 4);
  CHECK_FALSE(shared.window.plan_fresh(shared.request(2), {.from = 3, .end = 9, .runs = {{3, 8}}}));
  CHECK_FALSE(shared.window.plan_fresh(shared.request(2), {.from = 5, .end = 9, .runs = {{5, 8}}}));
  CHECK(shared.fresh(2, 1) == "4x1");
}

TEST_CASE("share window: offsets without a record are done from the beginning") {
  SharedWindow shared;
  CHECK(shared.fresh(reader, {}, 10).empty());
  CHECK(shared.text() == "10:");
  CHECK(shared.fresh(reader, {{12, 13}, {15, 16}}, 20) == "12..13x1 15..16x1");
  CHECK(shared.text() == "12: 12..13 acquired x1, 14 archived x0, 15..16 acquired x1, 17..19 archived x0");
  CHECK(shared.window.finished() == 4);
  CHECK(
      shared.answer(reader, {{{12, 13}, Acknowledging::accept}, {{15, 16}, Acknowledging::accept}}).empty());
  CHECK(shared.text() == "20:");
}

TEST_CASE("share window: finished records in the window take room (kafka-groups 2.5)") {
  SharedWindow shared{.max_record_locks = 100};
  CHECK(shared.fresh(reader, 250) == "0..99x1");
  CHECK_FALSE(shared.window.has_room(100));
  CHECK(
      shared.window.plan_fresh(shared.request(2), {.from = 100, .end = 101, .runs = {{100, 100}}})->empty());
  CHECK(shared.answer(reader, {50, 59}, Acknowledging::accept).empty());
  CHECK(shared.fresh(2, 150).empty());
  CHECK(shared.window.fresh_offset() == 100);
  CHECK(shared.answer(reader, {0, 9}, Acknowledging::accept).empty());
  CHECK(shared.fresh(2, 150) == "100..109x1");
}

TEST_CASE("share window: the batch that begins within the limit may exceed it (kafka-groups 2.5)") {
  SharedWindow shared{.max_record_locks = 100};
  SUBCASE("one batch of 250") { CHECK(shared.fresh(reader, {{0, 249}}, 250) == "0..249x1"); }
  SUBCASE("three batches of 80") {
    CHECK(shared.fresh(reader, {{0, 79}, {80, 159}, {160, 239}}, 240) == "0..159x1");
    CHECK(shared.window.fresh_offset() == 160);
  }
  CHECK_FALSE(shared.window.has_room(100));
}

TEST_CASE("share window: released records are delivered in a full window (kafka-groups 2.5)") {
  SharedWindow shared{.max_record_locks = 100};
  shared.fresh(reader, 100);
  shared.leave(reader);
  CHECK(shared.fresh(2, 10).empty());
  CHECK(shared.released(2) == "0..99x2");
}

TEST_CASE("share window: a gap larger than the limit does not hold the records behind it back") {
  SharedWindow shared{.max_record_locks = 100};
  CHECK(shared.fresh(reader, {{5'000, 5'009}}, 5'020) == "5000..5009x1");
  CHECK(shared.window.start_offset() == 5'000);
  // Behind a record that is not done it is a part of the window, and fills it.
  CHECK(shared.fresh(reader, {{9'000, 9'009}}, 9'010).empty());
  CHECK(shared.window.fresh_offset() == 9'000);
  CHECK(shared.answer(reader, {5'000, 5'009}, Acknowledging::accept).empty());
  CHECK(shared.text() == "9000:");
  CHECK(shared.fresh(reader, {{9'000, 9'009}}, 9'010) == "9000..9009x1");
}
