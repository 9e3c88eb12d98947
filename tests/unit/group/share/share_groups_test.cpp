#include "group/share/share_groups.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "catalog/records/share_rows.hpp"
#include "catalog/stored_share.hpp"
#include "unit/group/share/share_world.hpp"

namespace seriatim::test {
namespace {

using group::Acknowledging;
using group::DeliveryProgress;
using group::DeliveryState;
using group::ShareSettings;

const DeliveryProgress no_progress{.start_offset = -1};

std::string last_row(const ShareWorld& world, PartitionId partition = 0) {
  const auto row = must(catalog::share_progress(*world.catalog, "g", world.topic_id, partition));
  return row ? std::string(base::as_text(*row)) : std::string();
}

std::size_t writes_of(ShareWorld& world) {
  catalog::TableWrites writes;
  world.groups->gather(writes);
  return writes.in_order().size();
}

// A partition that begins at 5, of which 10 records were acquired and the third accepted.
group::SharePartitionPtr begin_example(ShareWorld& world, PartitionId index = 0,
                                       std::string_view group = "g") {
  auto partition = world.partition(index, group);
  must(partition->begin(5));
  world.acquire(partition, 10);
  must(world.answer(partition, {7, 7}, Acknowledging::accept));
  must(world.journal()->wait_durable(world.journal()->stats().staged_lsn));
  return partition;
}

}  // namespace

TEST_CASE("progress comes back from the journal, from the catalog, and from both together") {
  for (const int checkpoints : {0, 1, 2, 3}) {
    CAPTURE(checkpoints);
    ShareWorld world;
    auto partition = begin_example(world);
    if (checkpoints == 1) world.checkpoint(true);
    if (checkpoints == 2) world.checkpoint(false);  // The frames are replayed on the newer row.
    if (checkpoints == 3) world.checkpoint(true, false);
    const auto before = world.progress();
    CHECK(before.start_offset == 5);
    world.restart();
    CHECK(world.replayed.empty() == (checkpoints == 1));
    CHECK(world.progress() == before);
    partition = world.partition();
    CHECK(partition->has_begun());
    CHECK(partition == world.partition());
    must(partition->begin(77));
    CHECK(world.progress() == before);
  }
}

TEST_CASE("a checkpoint has a row for each partition that changed since the last one, and no other") {
  ShareWorld world;
  const auto first = begin_example(world, 0);
  const auto second = begin_example(world, 1);
  CHECK(world.groups->has_changes());
  CHECK(writes_of(world) == 2);
  CHECK(writes_of(world) == 2);  // Nobody said that it is stored.
  world.checkpoint(true);
  CHECK_FALSE(world.groups->has_changes());
  CHECK(writes_of(world) == 0);
  must(world.answer(second, {5, 5}, Acknowledging::renew));
  CHECK_FALSE(world.groups->has_changes());
  must(world.answer(second, {5, 5}, Acknowledging::accept));
  CHECK(writes_of(world) == 1);
  CHECK(world.groups->newest_lsn() == world.journal()->stats().staged_lsn);
  world.checkpoint(false);
  CHECK_FALSE(world.groups->has_changes());
}

TEST_CASE("what changes between the gathering and the store of a checkpoint is in the next one") {
  ShareWorld world;
  const auto partition = begin_example(world);
  catalog::Checkpoint checkpoint;
  world.groups->gather(checkpoint.writes);
  must(world.answer(partition, {5, 5}, Acknowledging::accept));
  must(world.catalog->checkpoint(checkpoint));
  world.groups->stored(0);
  CHECK(world.groups->has_changes());
  const std::string older = last_row(world);
  world.checkpoint(true);
  CHECK(last_row(world) != older);
  world.restart();
  CHECK(world.replayed.empty());
  CHECK(world.progress().start_offset == 6);
}

TEST_CASE("a forgotten partition stays forgotten, whatever the catalog still has, and may begin again") {
  for (const bool is_stored : {false, true}) {
    ShareWorld world;
    begin_example(world);
    begin_example(world, 1);
    world.checkpoint(true);
    const std::vector<TopicPartition> places{{"t", 0}, {"t", 3}};  // Of the last there is none.
    must(world.groups->forget_partitions("g", world.topic_id, places));
    CHECK(world.acknowledged == std::vector<std::uint64_t>{world.journal()->stats().staged_lsn});
    CHECK_FALSE(last_row(world).empty());
    CHECK(world.progress() == no_progress);
    if (is_stored) {
      world.checkpoint(false);
      CHECK(last_row(world).empty());
    }
    world.restart();
    CHECK(world.progress() == no_progress);
    CHECK(world.progress(1) != no_progress);
    CHECK_FALSE(world.partition()->has_begun());
    must(world.partition()->begin(50));
    world.checkpoint(true);
    world.restart();
    CHECK(world.progress() == DeliveryProgress{.start_offset = 50});
  }
}

TEST_CASE("a forgotten group is forgotten in every partition, loaded or not, and others are not") {
  for (const bool is_stored : {false, true}) {
    ShareWorld world;
    for (const char* group : {"f", "g", "gg"}) {
      begin_example(world, 0, group);
      begin_example(world, 1, group);
      must(world.groups->set_settings(group, {{"a", group}}));
    }
    world.checkpoint(true);
    world.restart();
    const auto loaded = world.partition(1);
    must(world.groups->forget_group("g"));
    CHECK_FALSE(loaded->has_begun());
    CHECK(must(world.groups->groups()) == std::vector<std::string>{"f", "gg"});
    CHECK(must(world.groups->settings("g")).empty());
    CHECK_FALSE(world.partition(0)->has_begun());
    must(loaded->begin(9));  // It lives again.
    must(world.groups->set_settings("g", {{"b", "2"}}));
    if (is_stored) world.checkpoint(false);
    world.restart();
    CHECK(world.progress(0) == no_progress);
    CHECK(world.progress(1) == DeliveryProgress{.start_offset = 9});
    CHECK(must(world.groups->settings("g")) == ShareSettings{{"b", "2"}});
    world.checkpoint(true);
    world.restart();
    CHECK(world.replayed.empty());
    CHECK(world.progress(0) == no_progress);
    CHECK(world.progress(1) == DeliveryProgress{.start_offset = 9});
    CHECK(must(world.groups->settings("g")) == ShareSettings{{"b", "2"}});
    CHECK(must(world.groups->settings("gg")) == ShareSettings{{"a", "gg"}});
    CHECK(must(world.groups->groups()) == std::vector<std::string>{"f", "g", "gg"});
  }
}

TEST_CASE("an end of a group that cannot be journalled leaves it as it was") {
  ShareWorld world;
  const auto partition = begin_example(world);
  const auto before = world.progress();
  world.admitted = Error(Errc::storage_full, "of the test");
  CHECK_FALSE(world.groups->forget_group("g").ok());
  CHECK_FALSE(world.groups->set_settings("g", {}).ok());
  world.admitted = {};
  world.journal()->fail(Error(Errc::storage_failed, "of the test"));
  CHECK_FALSE(world.groups->forget_group("g").ok());
  CHECK_FALSE(world.groups->set_settings("g", {{"a", "b"}}).ok());
  CHECK(world.progress() == before);
  CHECK(must(world.groups->settings("g")).empty());
  CHECK(must(world.answer(partition, {5, 5}, Acknowledging::renew)) == 0);
}

TEST_CASE("a deleted topic takes the progress in it along, in memory, in a checkpoint and at a replay") {
  ShareWorld world;
  const auto partition = begin_example(world);
  must(world.catalog->mark_deleted("t"));
  world.topics.front() = "deleted";
  CHECK(writes_of(world) == 0);  // The change came before the deletion.
  world.groups->forget_topic(world.topic_id);
  CHECK(must(world.groups->groups()).empty());
  must(world.answer(partition, {5, 5}, Acknowledging::accept));  // Its consumer has not noticed.
  CHECK(writes_of(world) == 0);
  CHECK(must(world.groups->progress_of("g")).empty());
  world.restart();
  CHECK_FALSE(world.replayed.empty());
  CHECK_FALSE(world.groups->has_changes());
}

TEST_CASE("settings are kept as they were given, names of later versions among them") {
  ShareWorld world;
  const ShareSettings settings{{"of.a.later.version", "x"}, {"share.record.lock.duration.ms", "30000"}};
  must(world.groups->set_settings("g", {{"old", "1"}}));
  must(world.groups->set_settings("g", settings));
  CHECK(must(world.groups->settings("g")) == settings);
  world.restart();
  CHECK(must(world.groups->settings("g")) == settings);
  CHECK(must(world.groups->groups()) == std::vector<std::string>{"g"});
  world.checkpoint(true);
  world.restart();
  CHECK(must(world.groups->settings("g")) == settings);
  must(world.groups->set_settings("g", {}));
  CHECK(must(world.groups->groups()).empty());
  world.checkpoint(true);
  CHECK_FALSE(must(catalog::share_config(*world.catalog, "g")).has_value());
  CHECK(world.groups->set_settings("g", {{"", "x"}}).error().code() == Errc::invalid_argument);
  CHECK(world.groups->set_settings("", {{"a", "x"}}).error().code() == Errc::invalid_argument);
  ShareSettings large;
  for (char name = 'a'; name <= 'z'; ++name) large[std::string(1, name)] = std::string(65'535, 'x');
  CHECK(world.groups->set_settings("g", large).error().code() == Errc::invalid_argument);
  CHECK(world.groups->partition("", {"t", 0}, world.topic_id).error().code() == Errc::invalid_argument);
}

TEST_CASE("a decision archives the records whose letters it committed, also where it is only replayed") {
  for (const bool has_row : {false, true}) {
    ShareWorld world;
    const auto partition = begin_example(world);
    must(world.answer(partition, {5, 6}, Acknowledging::reject, true));
    must(world.answer(partition, {9, 9}, Acknowledging::reject, true));
    const std::uint64_t decided = world.decide(partition, {{5, 6}, {9, 9}});
    must(world.journal()->wait_durable(decided));
    // A row from before the decision was applied.
    if (has_row) world.checkpoint(false);
    CHECK(world.progress().start_offset == 5);
    const auto expected = [&] {
      partition->bury(std::vector<group::OffsetRun>{{5, 6}, {9, 9}}, decided);
      return world.progress();
    }();
    CHECK(expected.start_offset == 8);
    world.restart();
    CHECK(world.progress() == expected);
  }
}

TEST_CASE("INV-2: a progress beyond the recovered end of its partition is set back to it, loaded or not") {
  for (const bool is_loaded : {false, true}) {
    ShareWorld world;
    begin_example(world, 0);
    begin_example(world, 1);
    begin_example(world, 2);
    must(world.partition(2)->replace({.start_offset = 30}));
    begin_example(world, 3);
    const auto untouched = world.progress(3);
    if (!is_loaded) world.checkpoint(true);
    must(world.journal()->wait_durable(world.journal()->stats().staged_lsn));
    world.restart();
    CHECK(must(world.groups->lower({{{"t", 0}, 10}, {{"t", 1}, 7}, {{"t", 2}, 20}, {{"t", 3}, 15}})) == 3);
    CHECK(world.progress(0) == DeliveryProgress{.start_offset = 5,
                                                .runs = {{{5, 6}, DeliveryState::acquired, 1},
                                                         {{7, 7}, DeliveryState::acknowledged, 1},
                                                         {{8, 9}, DeliveryState::acquired, 1}}});
    CHECK(world.progress(1) ==
          DeliveryProgress{.start_offset = 5, .runs = {{{5, 6}, DeliveryState::acquired, 1}}});
    CHECK(world.progress(2) == DeliveryProgress{.start_offset = 20});
    CHECK(world.progress(3) == untouched);
    world.checkpoint(true);
    world.restart();
    CHECK(world.progress(2) == DeliveryProgress{.start_offset = 20});
    CHECK(must(world.groups->lower({{{"t", 0}, 10}, {{"t", 2}, 20}})) == 0);
  }
}

TEST_CASE("a replaced progress is replayed in its place among the frames") {
  ShareWorld world;
  const auto partition = begin_example(world);
  must(partition->replace({.start_offset = 2, .runs = {{{4, 4}, DeliveryState::available, 3}}}));
  const auto expected = world.progress();
  CHECK(expected.start_offset == 2);
  must(world.journal()->wait_durable(world.journal()->stats().staged_lsn));
  for (const bool has_row : {false, true}) {
    if (has_row) world.checkpoint(false);
    world.restart();
    CHECK(world.progress() == expected);
  }
}

TEST_CASE("a row or a frame that is none is corrupt_metadata") {
  ShareWorld world;
  for (const auto type : {format::JournalFrameType::share_progress, format::JournalFrameType::share_group,
                          format::JournalFrameType::decision})
    CHECK(world.groups->replay({1, type, {}}).error().code() == Errc::corrupt_metadata);
  must(world.groups->replay({1, format::JournalFrameType::batch, {}}));
  catalog::Checkpoint checkpoint;
  catalog::put_share_progress(checkpoint.writes, "g", world.topic_id, 0, base::as_bytes("none"));
  catalog::put_share_config(checkpoint.writes, "g", base::as_bytes("n"));
  must(world.catalog->checkpoint(checkpoint));
  CHECK(world.groups->partition("g", {"t", 0}, world.topic_id).error().code() == Errc::corrupt_metadata);
  CHECK(world.groups->progress_of("g").error().code() == Errc::corrupt_metadata);
  CHECK(world.groups->settings("g").error().code() == Errc::corrupt_metadata);
  CHECK(world.groups->groups().error().code() == Errc::corrupt_metadata);
}

TEST_CASE("a row is stored whole, however many runs the window has") {
  ShareWorld world;
  const auto partition = world.partition();
  constexpr Offset records = 600'000;  // Every other one is done: more runs than a MiB holds.
  DeliveryProgress wanted{.start_offset = 1'000'000};
  for (Offset offset = 1'000'000; offset < 1'000'000 + records; ++offset)
    wanted.runs.push_back(
        {{offset, offset}, offset % 2 == 0 ? DeliveryState::acquired : DeliveryState::acknowledged, 1});
  must(partition->begin(0));
  partition->restore(wanted);
  world.checkpoint(true);
  CHECK(last_row(world).size() > (std::size_t{1} << 21U));
  world.restart();
  CHECK(world.replayed.empty());
  CHECK(world.progress() == wanted);
}

}  // namespace seriatim::test
