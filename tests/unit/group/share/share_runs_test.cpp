#include "group/share/share_runs.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "support/allocation_counter.hpp"

using namespace seriatim;

namespace {

group::WindowRun lent(Offset first, Offset last, group::ShareMemberId member) {
  return {.delivered = {{first, last}, group::DeliveryState::acquired, 1}, .member = member};
}

/// "0..4 of 1, 5 of 2": the runs, each with its member.
std::string text_of(const group::ShareRuns& runs) {
  std::string text;
  for (const auto& [first, run] : runs) {
    const group::OffsetRun offsets = run.delivered.offsets;
    if (!text.empty()) text += ", ";
    text += std::to_string(first);
    if (offsets.last != first) text += ".." + std::to_string(offsets.last);
    text += " of " + std::to_string(run.member);
    CHECK(offsets.first == first);
  }
  return text;
}

}  // namespace

TEST_CASE("share runs: a run takes the place of all that was known of its offsets") {
  group::ShareRuns runs;
  runs.assign(lent(0, 9, 1));
  SUBCASE("inside of one run: what is left of that one stands before and behind") {
    runs.assign(lent(3, 5, 2));
    CHECK(text_of(runs) == "0..2 of 1, 3..5 of 2, 6..9 of 1");
  }
  SUBCASE("at its beginning") {
    runs.assign(lent(0, 0, 2));
    CHECK(text_of(runs) == "0 of 2, 1..9 of 1");
  }
  SUBCASE("at its end, and beyond") {
    runs.assign(lent(8, 12, 2));
    CHECK(text_of(runs) == "0..7 of 1, 8..12 of 2");
  }
  SUBCASE("over several") {
    runs.assign(lent(10, 11, 2));
    runs.assign(lent(12, 20, 3));
    runs.assign(lent(5, 15, 4));
    CHECK(text_of(runs) == "0..4 of 1, 5..15 of 4, 16..20 of 3");
  }
}

TEST_CASE("share runs: neighbours that are alike become one run") {
  group::ShareRuns runs;
  for (Offset offset : {0, 1, 2, 3, 4}) runs.assign(lent(offset, offset, 1));
  CHECK(text_of(runs) == "0..4 of 1");
  runs.assign(lent(2, 2, 2));
  CHECK(runs.size() == 3);
  runs.assign(lent(2, 2, 1));
  CHECK(text_of(runs) == "0..4 of 1");
  runs.assign(lent(1, 3, 1));
  CHECK(text_of(runs) == "0..4 of 1");
}

TEST_CASE("share runs: each part of the state keeps neighbours apart") {
  const group::WindowRun base = lent(0, 4, 1);
  std::vector<group::WindowRun> others(7, lent(5, 9, 1));
  others[1].delivered.state = group::DeliveryState::archiving;
  others[2].delivered.delivery_count = 2;
  others[3].lock_end_ms = 1;
  others[4].due_ms = 1;
  others[5].batch_records = 2;
  others[6].is_condemned = true;
  for (const group::WindowRun& other : others) {
    group::ShareRuns runs;
    runs.assign(base);
    runs.assign(other);
    CHECK(runs.size() == (&other == others.data() ? 1 : 2));
    std::vector<group::WindowRun> list{base};
    group::append_run(list, other);
    CHECK(list.size() == runs.size());
  }
}

TEST_CASE("share runs: the run of an offset is found, or the first behind it") {
  group::ShareRuns runs;
  runs.assign(lent(5, 9, 1));
  runs.assign(lent(10, 14, 2));
  CHECK(runs.find(0)->first == 5);
  CHECK(runs.find(5)->first == 5);
  CHECK(runs.find(9)->first == 5);
  CHECK(runs.find(10)->first == 10);
  CHECK(runs.find(14)->first == 10);
  CHECK(runs.find(15) == runs.end());
}

TEST_CASE("share runs: below an offset nothing is left") {
  group::ShareRuns runs;
  runs.assign(lent(0, 4, 1));
  runs.assign(lent(5, 9, 2));
  runs.erase_below(2);
  CHECK(text_of(runs) == "2..4 of 1, 5..9 of 2");
  runs.erase_below(5);
  CHECK(text_of(runs) == "5..9 of 2");
  runs.erase_below(100);
  CHECK(runs.empty());
}

TEST_CASE("share runs: an assignment that memory was reserved for allocates none") {
  group::ShareRuns runs;
  runs.assign(lent(0, 999, 1));
  runs.reserve(100);
  const std::uint64_t before = test::allocations();
  for (Offset offset = 1; offset < 200; offset += 2) runs.assign(lent(offset, offset, 2));
  CHECK(test::allocations() == before);
  CHECK(runs.size() == 201);
}

TEST_CASE("share runs: memory that a large reserve left over is given back, that of a small one is kept") {
  group::ShareRuns runs;
  runs.assign(lent(0, 999, 1));
  runs.reserve(1);
  runs.settle();
  const std::uint64_t before = test::allocations();
  runs.assign(lent(5, 5, 2));
  CHECK(test::allocations() == before);
  runs.reserve(500);
  runs.settle();
  runs.assign(lent(7, 7, 2));
  CHECK(test::allocations() > before + 1'000);
  const std::uint64_t given_back = test::allocations();
  runs.assign(lent(9, 9, 2));
  CHECK(test::allocations() > given_back);
}

TEST_CASE("share runs: the earliest end of a lock or of a wait is known") {
  group::ShareRuns runs;
  const auto assign = [&runs](group::OffsetRun offsets, group::DeliveryState state, std::int64_t at_ms) {
    runs.assign({.delivered = {offsets, state, 1}, .lock_end_ms = at_ms, .due_ms = at_ms});
    runs.settle();
    return runs.earliest_ms();
  };
  CHECK_FALSE(runs.earliest_ms());
  CHECK(assign({0, 3}, group::DeliveryState::acquired, 20) == 20);
  CHECK(assign({4, 7}, group::DeliveryState::available, 10) == 10);
  CHECK(assign({8, 9}, group::DeliveryState::acquired, 30) == 10);
  CHECK(assign({5, 5}, group::DeliveryState::archived, 1) == 10);
  CHECK(assign({6, 7}, group::DeliveryState::acknowledged, 1) == 10);
  CHECK(assign({4, 4}, group::DeliveryState::archiving, 1) == 20);
  runs.erase_below(4);
  runs.settle();
  CHECK(runs.earliest_ms() == 30);
  CHECK_FALSE(assign({8, 9}, group::DeliveryState::acknowledged, 1));
}
