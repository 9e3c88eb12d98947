// The ends of members: closing, being closed by another thread or by the engine, being removed; and what is
// committed by itself until then.
#include <doctest/doctest.h>

#include <thread>

#include "unit/consumer/group/group_fixture.hpp"

using namespace seriatim;
using namespace std::chrono_literals;
using namespace seriatim::test;

TEST_CASE("the listener commits while its consumer is being closed") {
  GroupFixture f;
  Consumer one = f.consumer();
  Consumer* const self = &one;
  bool has_committed = false;
  must(one.subscribe({"t"}, {.on_revoked = [&](const Partitions&) {
                       has_committed = self->commit_sync().ok() && self->assignment().size() == 4;
                     }}));
  f.send(4);
  CHECK(poll(one) == 4);
  one.close();
  CHECK(has_committed);
  Consumer two = f.member();
  CHECK(poll(two) == 0);
}

TEST_CASE("a close that meets a thread inside is finished by that thread, and the member leaves") {
  GroupFixture f;
  for (int round = 0; round < 200; ++round) {
    Consumer one = f.member();
    std::thread closes([&] { one.close(); });
    while (one.poll(1ms).ok()) {
    }
    closes.join();
    CHECK(f.engine.admin().describe_group("g").error().code() == Errc::group_id_not_found);
  }
}

TEST_CASE("an engine that closes wakes members that have no partitions") {
  GroupFixture f(1);
  Consumer one = f.member();
  Consumer idle = f.member();
  settle({&one, &idle});
  Consumer* const sleeper = one.assignment().empty() ? &one : &idle;
  Errc answer{};
  std::thread waits([&] { answer = sleeper->poll(1h).error().code(); });
  // Most likely it sleeps by then; one that has not begun is answered at its entry.
  std::this_thread::sleep_for(50ms);
  must(f.engine.close());
  waits.join();
  CHECK(answer == Errc::closed);
}

TEST_CASE("a member that was removed and closes has lost its partitions, which are not its to revoke") {
  GroupFixture f;
  Told told;
  Consumer one = f.member(told.listener(), {.auto_commit = true});
  f.send(4);
  CHECK(poll(one) == 4);
  must(f.engine.admin().remove_group_members("g"));
  one.close();
  CHECK(told.text == "+4 !4 ");
  Consumer two = f.member();
  CHECK(poll(two) == 4);
}

TEST_CASE("a seek to a partition that is not the member's is refused, and not remembered") {
  GroupFixture f;
  Consumer one = f.member();
  CHECK(one.seek({"t", 0}, 0).error().code() == Errc::invalid_state);
  CHECK(poll(one) == 0);
  must(one.seek({"t", 0}, 0));
}

TEST_CASE("auto_commit: a deleted topic and a position beyond the log keep nothing else from being stored") {
  GroupFixture f;
  must(f.engine.admin().create_topic({.name = "b", .partition_count = 4}));
  Consumer one = f.consumer({.auto_commit = true, .auto_commit_interval = 0ms});
  must(one.subscribe({"t", "b"}));
  CHECK(poll(one) == 0);
  f.send(4);
  f.send(4, "b");
  CHECK(poll(one) == 8);
  must(one.seek({"t", 3}, 1'000));
  must(f.engine.admin().delete_topic("b"));
  f.send(1);
  // Partition 3 begins anew, as auto_offset_reset says.
  CHECK(must(one.poll(1s)).count() == 2);
  const auto offsets = must(f.engine.admin().group_offsets("g"));
  REQUIRE(offsets.size() == 4);
  for (const auto& offset : offsets)
    CHECK(offset.committed.offset == (offset.topic_partition.partition == 3 ? 0 : 1));
}
