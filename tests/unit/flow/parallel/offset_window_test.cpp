// The position to commit, and the finished ranges above it, while records of some polls end in any order.
#include "flow/parallel/offset_window.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "support/random.hpp"

namespace seriatim::test {
namespace {

using detail::FinishedRanges;
using detail::OffsetRange;
using detail::OffsetWindow;
using detail::QueuedBatch;
using detail::QueuedRecord;

using Ranges = std::vector<OffsetRange>;

std::uint64_t print_of(Offset offset) { return static_cast<std::uint64_t>(offset) * 7 + 1; }

struct Window {
  explicit Window(FinishedRanges known = {})
      : window(std::move(known), [](const QueuedRecord& record) { return print_of(record.offset); }) {}

  void poll(const std::vector<Offset>& offsets) {
    const auto batch = std::make_shared<QueuedBatch>();
    batches.push_back(batch);
    batch->queued.resize(offsets.size());
    for (std::size_t i = 0; i < offsets.size(); ++i) {
      batch->queued[i].offset = offsets[i];
      records.push_back(&batch->queued[i]);
    }
    window.append({.batch = batch, .records = batch->queued.data(), .count = offsets.size()});
  }
  QueuedRecord& at(Offset offset) {
    for (QueuedRecord* record : records)
      if (record->offset == offset) return *record;
    FAIL("no record ", offset);
    return *records.front();
  }
  void finish(const std::vector<Offset>& offsets) {
    for (const Offset offset : offsets) {
      at(offset).is_finished = true;
      --at(offset).slice->unfinished;
    }
  }
  /// How many batches are let go of.
  std::size_t tidy() {
    std::vector<std::shared_ptr<QueuedBatch>> released;
    window.tidy(released);
    return released.size();
  }

  std::vector<std::shared_ptr<QueuedBatch>> batches{};
  std::vector<QueuedRecord*> records{};
  OffsetWindow window;
};

}  // namespace

TEST_CASE(
    "the position stands before the first record that is not finished; finished ones above are ranges") {
  Window w;
  CHECK_FALSE(w.window.position().has_value());
  w.poll({3, 4, 7, 8});  // 5 and 6 are no records
  w.poll({9, 10});
  CHECK(w.window.position() == 3);
  w.finish({4, 7, 9});
  CHECK(w.window.position() == 3);
  CHECK(w.window.finished().ranges == Ranges{{4, 8}, {9, 10}});
  CHECK(w.window.range_count() == 2);
  CHECK(w.window.finished().mark == detail::FinishedMark{9, print_of(9)});
  w.finish({3});
  CHECK(w.window.position() == 8);
  CHECK(w.window.finished().ranges == Ranges{{9, 10}});
  w.finish({8, 10});
  CHECK(w.window.position() == 11);
  CHECK(w.window.finished().ranges.empty());
}

TEST_CASE("a poll is let go of when all of it is finished, wherever it stands; its range stays") {
  Window w;
  for (const Offset first : {0, 10, 20, 30}) w.poll({first, first + 1});
  w.finish({10, 11, 20, 21, 31});
  CHECK(w.tidy() == 2);
  CHECK(w.window.finished().ranges == Ranges{{10, 22}, {31, 32}});
  w.finish({1});
  CHECK(w.window.finished().ranges == Ranges{{1, 22}, {31, 32}});
  w.finish({30});
  CHECK(w.tidy() == 1);
  CHECK(w.window.finished().ranges == Ranges{{1, 32}});
  CHECK(w.window.finished().mark == detail::FinishedMark{31, print_of(31)});
  w.finish({0});
  CHECK(w.window.position() == 32);
  CHECK(w.tidy() == 1);
  CHECK(w.window.is_empty());
  CHECK(w.window.position() == 32);
}

TEST_CASE(
    "records that the member before has finished are so when they are polled, and stay kept until then") {
  Window w({.ranges = {{2, 4}, {6, 9}, {20, 30}}, .mark = {29, 555}});
  w.poll({1, 2, 3, 4});
  CHECK(w.at(2).is_finished);
  CHECK_FALSE(w.at(4).is_finished);
  CHECK(w.window.finished().ranges == Ranges{{2, 4}, {6, 9}, {20, 30}});
  CHECK(w.window.finished().mark == detail::FinishedMark{29, 555});
  w.poll({5, 6, 7});
  CHECK(w.window.finished().ranges == Ranges{{2, 4}, {6, 9}, {20, 30}});
  w.poll({8, 9, 21, 22});
  CHECK(w.window.finished().ranges == Ranges{{2, 4}, {6, 9}, {21, 30}});
  w.finish({1, 4, 5, 9});
  FinishedRanges rest = w.window.finished();
  CHECK(join_position(*w.window.position(), rest) == 30);
  CHECK(rest.ranges.empty());
}

TEST_CASE("a window says when offsets go back") {
  Window w;
  CHECK_FALSE(w.window.is_behind(0));
  w.poll({5, 6});
  CHECK_FALSE(w.window.is_behind(7));
  CHECK(w.window.is_behind(6));
}

TEST_CASE("whatever the order in which records end, position and ranges are what a set of offsets says") {
  Random random("offset windows");
  for (int round = 0; round < 200; ++round) {
    Window w;
    std::set<Offset> open;
    std::set<Offset> finished;
    Offset next = 0;
    for (int step = 0; step < 40; ++step) {
      if (random.one_in(3)) {
        std::vector<Offset> offsets;
        for (std::int64_t count = random.between(1, 6); count > 0; --count) {
          next += random.between(1, 3);
          offsets.push_back(next);
          open.insert(next);
        }
        w.poll(offsets);
      } else if (!open.empty()) {
        auto at = std::next(open.begin(), random.between(0, static_cast<std::int64_t>(open.size()) - 1));
        w.finish({*at});
        finished.insert(*at);
        open.erase(at);
      }
      if (random.one_in(4)) w.tidy();
      if (next == 0) continue;
      REQUIRE(w.window.position() == (open.empty() ? next + 1 : *open.begin()));
      const auto told = w.window.finished().ranges;
      const auto is_told = [&](Offset offset) {
        for (const OffsetRange& range : told)
          if (range.first <= offset && offset < range.end) return true;
        return false;
      };
      for (const Offset offset : open) REQUIRE_FALSE(is_told(offset));
      for (const Offset offset : finished)
        if (offset > *w.window.position()) REQUIRE(is_told(offset));
      REQUIRE(told.size() <= open.size());
      REQUIRE(w.window.range_count() == told.size());
      if (!told.empty()) {
        const Offset last = *finished.rbegin();
        REQUIRE(w.window.finished().mark == detail::FinishedMark{last, print_of(last)});
      }
    }
  }
}

}  // namespace seriatim::test
