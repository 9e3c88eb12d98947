#include "group/share/share_partition.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "support/allocation_counter.hpp"
#include "unit/group/share/share_world.hpp"

namespace seriatim::test {
namespace {

using group::Acknowledging;
using group::DeliveryProgress;
using group::DeliveryState;
using group::ShareChange;
using group::ShareWindow;

struct ToldListener final : group::ShareListener {
  void on_share_change() noexcept override { ++times; }
  int times = 0;
};

DeliveryProgress shown(const group::SharePartitionPtr& partition) {
  return partition->look([](const ShareWindow& window) { return window.progress(); });
}

Errc share_code(const auto& result) { return result ? Errc{} : result.error().code(); }

}  // namespace

TEST_CASE("a progress begins once, and nothing changes before that or behind its end") {
  ShareWorld world;
  const auto partition = world.partition();
  const auto nothing = [](const ShareWindow&) -> Result<ShareChange> { return ShareChange{}; };
  CHECK_FALSE(partition->has_begun());
  CHECK(share_code(partition->change(nothing)) == Errc::invalid_record_state);
  CHECK(must(partition->forget()) == 0);
  CHECK(must(partition->begin(100)) == 1);
  CHECK(must(partition->begin(200)) == 0);
  CHECK(shown(partition) == DeliveryProgress{.start_offset = 100});
  CHECK(must(partition->change(nothing)) == 0);
  CHECK(must(partition->forget()) == 2);
  CHECK_FALSE(partition->has_begun());
  CHECK(share_code(partition->change(nothing)) == Errc::invalid_record_state);
  CHECK(must(partition->begin(200)) == 3);
}

TEST_CASE("a change has one frame, of what of it lasts; a renewed lock and an archiving record have none") {
  ShareWorld world;
  const auto partition = world.partition();
  must(partition->begin(0));
  CHECK(world.acquire(partition, 10) == 2);
  CHECK(must(world.answer(partition, {0, 9}, Acknowledging::renew)) == 0);
  CHECK(must(world.answer(partition, {5, 5}, Acknowledging::accept)) == 3);
  CHECK(must(world.answer(partition, {0, 1}, Acknowledging::accept)) == 4);
  CHECK(must(world.answer(partition, {2, 2}, Acknowledging::reject, true)) == 0);
  CHECK(must(world.answer(partition, {3, 3}, Acknowledging::release)) == 5);
  CHECK(world.journal()->stats().staged_lsn == 5);
  must(world.journal()->wait_durable(5));
  const DeliveryProgress before = shown(partition);
  CHECK(before == DeliveryProgress{.start_offset = 2,
                                   .runs = {{{2, 2}, DeliveryState::acquired, 1},
                                            {{3, 3}, DeliveryState::available, 1},
                                            {{4, 4}, DeliveryState::acquired, 1},
                                            {{5, 5}, DeliveryState::acknowledged, 1},
                                            {{6, 9}, DeliveryState::acquired, 1}}});
  world.restart();
  CHECK(world.progress() == before);
  REQUIRE(world.replayed.size() == 5);
  const auto accepted = must(format::parse_journal_share_progress(world.replayed[3].payload));
  CHECK(accepted.kind == format::ShareProgressKind::changed);
  CHECK(accepted.start_offset == 2);
  CHECK(accepted.runs.empty());
  const auto released = must(format::parse_journal_share_progress(world.replayed[4].payload));
  CHECK(released.start_offset == 2);
  CHECK(released.runs == std::vector<format::ShareRun>{{{3, 3}, 0, 1}});
}

TEST_CASE("an error of the plan, of the journal or of its limit leaves the progress as it was") {
  ShareWorld world;
  const auto partition = world.partition();
  must(partition->begin(0));
  world.acquire(partition, 10);
  const DeliveryProgress before = shown(partition);
  CHECK(share_code(world.answer(partition, {0, 0}, Acknowledging::accept, false, 2)) ==
        Errc::invalid_record_state);
  world.admitted = Error(Errc::storage_full, "of the test");
  CHECK(share_code(world.answer(partition, {0, 0}, Acknowledging::accept)) == Errc::storage_full);
  CHECK(share_code(partition->replace({})) == Errc::storage_full);
  world.admitted = {};
  world.journal()->fail(Error(Errc::storage_failed, "of the test"));
  CHECK(share_code(world.answer(partition, {0, 0}, Acknowledging::accept)) == Errc::storage_failed);
  CHECK(share_code(partition->replace({})) == Errc::storage_failed);
  CHECK(share_code(partition->forget()) == Errc::storage_failed);
  CHECK(shown(partition) == before);
  CHECK(partition->has_begun());
  // Needing no frame, it goes on.
  CHECK(must(world.answer(partition, {0, 0}, Acknowledging::renew)) == 0);
}

TEST_CASE(
    "listeners are told of records that came back, of room and of an earlier end, and of nothing else") {
  ShareWorld world;
  const auto partition = world.partition();
  must(partition->begin(0));
  const auto listener = std::make_shared<ToldListener>();
  partition->add_listener(listener);
  world.acquire(partition, 10);
  CHECK(listener->times == 1);  // Somebody is to look when these locks are over.
  world.acquire(partition, 10);
  must(world.answer(partition, {5, 5}, Acknowledging::accept));
  must(world.answer(partition, {6, 9}, Acknowledging::renew));
  CHECK(listener->times == 1);
  must(partition->change([](const ShareWindow& window) {
    const group::Acknowledgement renew{{8, 8}, Acknowledging::renew};
    return window.plan_acknowledge(1, {&renew, 1}, {.now_ms = 1}, ShareWorld::lock_end_ms / 2);
  }));
  CHECK(listener->times == 2);
  listener->times = 0;
  must(world.answer(partition, {6, 6}, Acknowledging::release));
  CHECK(listener->times == 1);
  must(world.answer(partition, {0, 0}, Acknowledging::accept));
  CHECK(listener->times == 2);
  must(partition->replace({.start_offset = 5}));
  CHECK(listener->times == 3);
  partition->remove_listener(listener);
  must(partition->replace({.start_offset = 6}));
  CHECK(listener->times == 3);
}

TEST_CASE("the dead are archived by their decision, unless a later frame has replaced the progress") {
  ShareWorld world;
  const auto partition = world.partition();
  must(partition->begin(0));
  world.acquire(partition, 10);
  must(world.answer(partition, {0, 3}, Acknowledging::reject, true));
  const std::vector<group::OffsetRun> dead{{0, 1}, {3, 8}};  // Not all of them wait for a letter.
  const std::uint64_t decided = world.decide(partition, dead);
  partition->bury(dead, decided);
  partition->bury(dead, decided);  // It may be told again.
  CHECK(shown(partition) == DeliveryProgress{.start_offset = 2,
                                             .runs = {{{2, 2}, DeliveryState::acquired, 1},
                                                      {{3, 3}, DeliveryState::archived, 1},
                                                      {{4, 9}, DeliveryState::acquired, 1}}});
  must(partition->replace({.start_offset = 0}));
  world.acquire(partition, 10);
  must(world.answer(partition, {0, 3}, Acknowledging::reject, true));
  partition->bury(dead, decided);
  CHECK(partition->look([](const ShareWindow& window) { return window.start_offset(); }) == 0);
}

TEST_CASE("an answer allocates nothing beside its plan, once as many were given before") {
  ShareWorld world;
  const auto partition = world.partition();
  must(partition->begin(0));
  world.acquire(partition, 1'000);
  Offset next = 1;
  const auto accept = [&] {
    const ShareChange change{.runs = {{.delivered = {{next, next}, DeliveryState::acknowledged, 1}}}};
    std::uint64_t made = 0;
    must(partition->change([&](const ShareWindow&) -> Result<ShareChange> {
      ShareChange copy = change;
      made = allocations();
      return copy;
    }));
    ++next;
    return allocations() - made;
  };
  for (int round = 0; round < 2; ++round) {  // The journal has two queues, which take turns.
    for (int i = 0; i < 300; ++i) accept();
    must(world.journal()->wait_durable(world.journal()->stats().staged_lsn));
  }
  std::uint64_t allocated = 0;
  for (int i = 0; i < 300; ++i) allocated += accept();
  CHECK(allocated == 0);
}

TEST_CASE("changed partitions are moved without memory, those that are there already too") {
  ShareWorld world;
  group::ChangedSharePartitions changed;
  std::set<group::SharePartitionPtr> gathered{world.partition(0)};
  for (PartitionId i = 0; i < 3; ++i) changed.add(world.partition(i));
  const std::uint64_t before = allocations();
  changed.move_to(gathered);
  CHECK(allocations() == before);
  CHECK(gathered.size() == 3);
  CHECK(changed.empty());
}

}  // namespace seriatim::test
