// Which ids a window remembers, by count and by time.
#include "flow/dedupe/dedupe_window.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace seriatim::test {
namespace {

using flow::DedupeLimits;
using flow::DedupeMark;
using flow::DedupeWindow;
using std::chrono::milliseconds;
using Marks = std::vector<DedupeMark>;

constexpr milliseconds for_ever = milliseconds::max();

Timestamp moment(std::int64_t ms) { return Timestamp(milliseconds(ms)); }

Marks fill(DedupeWindow& window, std::size_t count, std::int64_t ms = 0, std::int64_t step_ms = 0) {
  Marks marks;
  for (std::size_t i = 0; i < count; ++i, ms += step_ms) {
    marks.push_back(window.next(moment(ms)));
    window.add(marks.back());
  }
  return marks;
}

std::uint64_t held(const DedupeWindow& window, const Marks& marks, std::int64_t now_ms = 0) {
  return static_cast<std::uint64_t>(std::count_if(marks.begin(), marks.end(), [&](const DedupeMark& mark) {
    return window.holds(mark, moment(now_ms));
  }));
}

}  // namespace

TEST_CASE("the last ids are remembered, and at most a 64th more") {
  for (const std::uint64_t count : {1U, 3U, 63U, 64U, 1'000U}) {
    DedupeWindow window({.time = for_ever, .count = count});
    const Marks marks = fill(window, 5 * count + 7);
    for (std::size_t i = 0; i < count; ++i) CHECK(window.holds(marks[marks.size() - 1 - i], moment(0)));
    CHECK(held(window, marks) <= count + count / 64);
    CHECK(window.stored() == marks.size());
    CHECK(window.outside(moment(0)) == marks.size() - held(window, marks));
  }
}

TEST_CASE("ids that were never committed take no place in the window") {
  DedupeWindow window({.time = for_ever, .count = 3});
  const Marks marks = fill(window, 3);
  for (int i = 0; i < 1'000; ++i) window.next(moment(0));
  fill(window, 1);
  CHECK(held(window, marks) == 2);
}

TEST_CASE("a window that is opened again remembers the same ids, in whatever order they are read") {
  DedupeWindow window({.time = for_ever, .count = 100});
  Marks marks = fill(window, 1'000);
  std::reverse(marks.begin() + 300, marks.end());
  DedupeWindow again({.time = for_ever, .count = 100});
  for (const DedupeMark& mark : marks) again.add(mark);
  for (const DedupeMark& mark : marks) CHECK(again.holds(mark, moment(0)) == window.holds(mark, moment(0)));
  // It goes on behind them.
  CHECK(again.next(moment(0)).bucket > marks[300].bucket);
}

TEST_CASE("an id is remembered for the time of the window, and not a millisecond longer") {
  DedupeWindow window({.time = milliseconds(100), .count = 1'000});
  const Marks marks = fill(window, 1, 1'000);
  CHECK(window.holds(marks[0], moment(1'000)));
  CHECK(window.holds(marks[0], moment(1'099)));
  CHECK_FALSE(window.holds(marks[0], moment(1'100)));
  CHECK(window.outside(moment(1'099)) == 0);
  CHECK(window.outside(moment(1'100)) == 1);
}

TEST_CASE("a clock that is set back keeps ids longer, and one that is set forward forgets them earlier") {
  DedupeWindow window({.time = milliseconds(100), .count = 1'000});
  const Marks marks = fill(window, 1, 1'000);
  CHECK(window.holds(marks[0], moment(-5'000)));
  CHECK_FALSE(window.holds(marks[0], moment(900'000)));
  CHECK(window.holds(marks[0], moment(1'050)));
  const Marks later = fill(window, 1, 500);
  CHECK(window.holds(later[0], moment(599)));
  CHECK_FALSE(window.holds(later[0], moment(600)));
  // No time that a disk gave is too far away.
  CHECK(window.holds({.bucket = 1, .time = Timestamp::max()}, moment(0)));
  CHECK_FALSE(window.holds({.bucket = 1, .time = Timestamp::min()}, Timestamp::max()));
}

TEST_CASE("what has left the window by time is known, for a slow stream too") {
  DedupeWindow window({.time = milliseconds(1'000), .count = 1'000'000});
  fill(window, 100, 0, 50);
  const std::uint64_t outside = window.outside(moment(5'000));
  CHECK(outside >= 78);
  CHECK(outside <= 81);
}

TEST_CASE("ids that are taken out of a window are not counted any more") {
  DedupeWindow window({.time = for_ever, .count = 4});
  const Marks marks = fill(window, 10);
  for (const DedupeMark& mark : marks) {
    if (!window.holds(mark, moment(0))) window.remove(mark);
  }
  CHECK(window.stored() == 4);
  CHECK(window.outside(moment(0)) == 0);
  window.remove(marks[9]);
  CHECK(window.stored() == 3);
  // There is room for one more before the next has to go.
  fill(window, 1);
  CHECK(held(window, marks) == 4);
  fill(window, 1);
  CHECK(held(window, marks) == 3);
}

}  // namespace seriatim::test
