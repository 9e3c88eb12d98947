// Consumers that share topics as members of a group, through the public API.
#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <thread>

#include "unit/consumer/group/group_fixture.hpp"

using namespace seriatim;
using namespace std::chrono_literals;
using namespace seriatim::test;

TEST_CASE("members share the partitions of a topic, each at its own polls, and each record is read once") {
  GroupFixture f;
  Told told_one;
  Told told_two;
  Consumer one = f.member(told_one.listener());
  f.send(8);
  CHECK(poll(one) == 8);
  CHECK(told_one.text == "+4 ");
  must(one.commit_sync());
  Consumer two = f.member(told_two.listener());
  CHECK(poll(two) == 0);
  CHECK(told_two.text == "+0 ");
  CHECK(one.assignment().size() == 4);
  CHECK(f.describe().state == GroupState::reconciling);
  settle({&one, &two});
  CHECK(told_one.text == "+4 -2 +0 ");
  CHECK(told_two.text == "+0 +2 ");
  CHECK(f.describe().state == GroupState::stable);
  f.send(8);
  CHECK(poll(one) == 4);
  CHECK(poll(two) == 4);
  two.close();
  CHECK(told_two.text == "+0 +2 -2 ");
  // Records that it has not committed come again.
  CHECK(poll(one) == 4);
  CHECK(f.describe().members.size() == 1);
}

TEST_CASE("inside a listener the consumer commits; polling, subscribing and assigning are refused") {
  GroupFixture f;
  std::map<std::string, Errc> refused;
  Consumer* self = nullptr;
  Consumer one = f.consumer();
  self = &one;
  must(one.subscribe({"t"}, {.on_revoked = [&](const Partitions&) {
                       CHECK(self->commit_sync());
                       CHECK(self->assignment().size() == 4);
                       refused["poll"] = self->poll(0ms).error().code();
                       refused["subscribe"] = self->subscribe({"other"}).error().code();
                       refused["unsubscribe"] = self->unsubscribe().error().code();
                       refused["assign"] = self->assign_topic("t").error().code();
                     }}));
  f.send(4);
  CHECK(poll(one) == 4);
  Consumer two = f.member();
  settle({&one, &two});
  CHECK(refused == std::map<std::string, Errc>{{"poll", Errc::invalid_state},
                                               {"subscribe", Errc::invalid_state},
                                               {"unsubscribe", Errc::invalid_state},
                                               {"assign", Errc::invalid_state}});
  // Committed before they went: nothing comes twice.
  CHECK(poll(two) == 0);
  CHECK(two.assignment().size() == 2);
}

TEST_CASE("a consumer that its listener closes ends behind the listener, and leaves") {
  GroupFixture f;
  Consumer one = f.consumer();
  Consumer* const self = &one;
  must(one.subscribe({"t"}, {.on_assigned = [self](const Partitions&) { self->close(); }}));
  CHECK(one.poll(0ms).error().code() == Errc::closed);
  CHECK(f.engine.admin().describe_group("g").error().code() == Errc::group_id_not_found);
}

TEST_CASE("a listener that throws is an error of the poll, and the change stands") {
  GroupFixture f;
  Consumer one = f.member({.on_assigned = [](const Partitions&) { throw std::runtime_error("no"); }});
  f.send(4);
  const auto failed = one.poll(0ms);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message().find("listener") != std::string::npos);
  CHECK(one.assignment().size() == 4);
  CHECK(poll(one) == 4);
}

TEST_CASE("a member that is removed has lost everything: its commit is refused, its next poll joins again") {
  GroupFixture f;
  Told told;
  Consumer one = f.member(told.listener());
  f.send(4);
  CHECK(poll(one) == 4);
  const auto before = one.group_metadata();
  must(f.engine.admin().remove_group_members("g"));
  const auto refused = one.commit_sync();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::unknown_member_id);
  // Nothing was committed: they come again.
  CHECK(poll(one) == 4);
  CHECK(told.text == "+4 !4 +4 ");
  CHECK(one.group_metadata().member_id != before.member_id);
  must(one.commit_sync());
  CHECK(f.engine.admin().remove_group_members("g", {"member-x"}).error().code() == Errc::unknown_member_id);
}

TEST_CASE("max_poll_interval: the partitions of a member that is stuck go on with the others") {
  GroupFixture f;
  Told told;
  Consumer stuck = f.member(told.listener(), {.max_poll_interval = 1ms});
  f.send(4);
  CHECK(poll(stuck) == 4);
  Consumer other = f.member();
  std::size_t taken_over = 0;
  while (taken_over < 4) taken_over += must(other.poll(1s)).count();
  CHECK(stuck.commit_sync().error().code() == Errc::unknown_member_id);
  must(other.commit_sync());
  static_cast<void>(must(stuck.poll(0ms)));
  CHECK(told.text.substr(0, 6) == "+4 !4 ");
}

TEST_CASE("a static member that closes keeps its partitions until it comes back") {
  GroupFixture f;
  const ConsumerOptions named{.group_instance_id = "one"};
  Consumer other = f.member();
  Partitions had;
  {
    Consumer one = f.member({}, named);
    settle({&one, &other});
    had = one.assignment();
    REQUIRE(had.size() == 2);
    Consumer twin = f.consumer(named);
    CHECK(twin.subscribe({"t"}).error().code() == Errc::unreleased_instance_id);
    one.close();
  }
  Told told;
  settle({&other});
  CHECK(other.assignment().size() == 2);
  Consumer again = f.member(told.listener(), named);
  static_cast<void>(poll(again));
  CHECK(again.assignment() == had);
  CHECK(told.text == "+2 ");
  again.close(GroupMembership::leave);
  settle({&other});
  CHECK(other.assignment().size() == 4);
}

TEST_CASE("topics that are created, grow, or are deleted under a live group need no restart") {
  GroupFixture f;
  Consumer one = f.consumer();
  must(one.subscribe(TopicPattern{"(t|later).*"}));
  CHECK(poll(one) == 0);
  CHECK(one.assignment().size() == 4);
  must(f.engine.admin().create_topic({.name = "later-1", .partition_count = 4}));
  must(f.engine.admin().create_topic({.name = "other", .partition_count = 1}));
  f.send(4, "later-1");
  CHECK(poll(one) == 4);
  must(f.engine.admin().create_partitions("later-1", 6));
  must(f.producer.send_sync({.topic = "later-1", .value = "new", .partition = 5}));
  CHECK(poll(one) == 1);
  f.send(4, "later-1");
  must(f.engine.admin().delete_topic("later-1"));
  CHECK(poll(one) == 0);
  CHECK(one.assignment().size() == 4);
  // Another one of the same name begins at its beginning.
  must(f.engine.admin().create_topic({.name = "later-1", .partition_count = 4}));
  f.send(8, "later-1");
  CHECK(poll(one) == 8);
}

TEST_CASE("a member that waits in poll is woken by what changes its assignment") {
  GroupFixture f;
  Consumer one = f.member();
  CHECK(poll(one) == 0);
  std::atomic<std::size_t> got{0};
  Consumer two = f.member();
  std::thread waiting([&] { got = must(two.poll(60s)).count(); });
  while (one.assignment().size() == 4) static_cast<void>(poll(one));
  f.send(4);
  waiting.join();
  CHECK(got > 0);
}

TEST_CASE("what cannot be is refused with a reason") {
  GroupFixture f;
  Consumer one = f.member();
  CHECK(one.assign_topic("t").error().code() == Errc::invalid_state);
  Consumer assigned = f.consumer();
  must(assigned.assign_topic("t"));
  CHECK(assigned.subscribe({"t"}).error().code() == Errc::invalid_state);
  CHECK(poll(one) == 0);
  // Only members commit, while there are any.
  CHECK(assigned.commit_sync({{{"t", 0}, {.offset = 0}}}).error().code() == Errc::unknown_member_id);
  CHECK(f.engine.admin().delete_group("g").error().code() == Errc::non_empty_group);
  CHECK(f.engine.admin().alter_group_offsets("g", {{{"t", 0}, {.offset = 0}}}).error().code() ==
        Errc::non_empty_group);
  Consumer no_group = must(f.engine.consumer({}));
  CHECK(no_group.subscribe({"t"}).error().code() == Errc::invalid_state);
  Consumer bare = f.consumer();
  CHECK(bare.subscribe(std::span<const std::string>()).error().code() == Errc::invalid_argument);
  CHECK(bare.subscribe(TopicPattern{"("}).error().code() == Errc::invalid_argument);
  CHECK(bare.subscribe(TopicPattern{""}).error().code() == Errc::invalid_argument);
  CHECK(bare.subscribe({"no/topic"}).error().code() == Errc::invalid_topic);
  CHECK(bare.poll(0ms).error().code() == Errc::invalid_state);
  must(one.unsubscribe());
  CHECK(one.poll(0ms).error().code() == Errc::invalid_state);
  must(f.engine.admin().delete_group("g"));
}

TEST_CASE("an assignor of the application's own is asked, and an answer that cannot be is refused") {
  GroupFixture f;
  bool is_wrong = false;
  const AssignFunction all_to_first = [&](const AssignmentRequest& request) {
    Assignment answer;
    for (const auto& [topic, count] : request.partitions) {
      for (std::int32_t i = is_wrong ? 1 : 0; i < count; ++i)
        answer[request.members.front().member_id].push_back({topic, i});
    }
    return answer;
  };
  Consumer one = f.member({}, {.own_assignor = all_to_first});
  Consumer two = f.member({}, {.own_assignor = all_to_first});
  settle({&one, &two});
  CHECK(one.assignment().size() == 4);
  is_wrong = true;
  must(f.engine.admin().create_partitions("t", 5));
  const auto refused = one.poll(0ms);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::invalid_argument);
  CHECK(one.assignment().size() == 4);
  is_wrong = false;
  CHECK(poll(one) == 0);
  CHECK(one.assignment().size() == 5);
}

TEST_CASE("auto_commit commits what earlier polls returned, before partitions go and at the close") {
  GroupFixture f;
  const ConsumerOptions automatic{.auto_commit = true, .auto_commit_interval = 0ms};
  const auto committed = [&] {
    Offset sum = 0;
    for (const auto& offset : must(f.engine.admin().group_offsets("g"))) sum += offset.committed.offset;
    return sum;
  };
  Consumer one = f.member({}, automatic);
  f.send(8);
  CHECK(poll(one) == 8);
  CHECK(committed() == 0);
  CHECK(poll(one) == 0);
  CHECK(committed() == 8);
  f.send(8);
  CHECK(poll(one) == 8);
  Consumer two = f.member({}, {.auto_commit = true, .auto_commit_interval = 1h});
  settle({&two, &one, &two});
  CHECK(committed() == 16);
  f.send(8);
  CHECK(poll(two) == 4);
  two.close();
  CHECK(committed() == 20);
}

TEST_CASE(
    "send_offsets of a transaction: only the owner's, and nobody else gets the partition before its end") {
  GroupFixture f;
  auto transactional = must(f.engine.transactional_producer({.transactional_id = "copy"}));
  Consumer one = f.member();
  f.send(4);
  const auto records = must(one.poll(0ms));
  REQUIRE(records.count() == 4);
  auto transaction = must(transactional.begin());
  ConsumerGroupMetadata wrong = one.group_metadata();
  wrong.member_id = "member-00009999";
  CHECK(transaction.send_offsets(records.next_offsets(), wrong).error().code() == Errc::unknown_member_id);
  must(transaction.send_offsets(records.next_offsets(), one.group_metadata()));
  Consumer two = f.member();
  must(f.engine.admin().remove_group_members("g", {one.group_metadata().member_id}));
  for (int i = 0; i < 5; ++i) CHECK(poll(two) == 0);
  CHECK(two.assignment().empty());
  must(transaction.commit());
  // It begins behind what the transaction has committed.
  CHECK(poll(two) == 0);
  CHECK(two.assignment().size() == 4);
  f.send(4);
  CHECK(poll(two) == 4);
}

TEST_CASE("two consumers in one thread, of one group, do not wait for each other") {
  GroupFixture f;
  Consumer one = f.member();
  Consumer two = f.member();
  settle({&one, &two});
  CHECK(one.assignment().size() + two.assignment().size() == 4);
}

TEST_CASE("a read-only engine has no groups to join") {
  const TempDir directory;
  must(must(Engine::open(directory.path())).close());
  const auto reader = must(Engine::open(directory.path(), {.mode = OpenMode::read_only}));
  Consumer one = must(reader.consumer({.group_id = "g"}));
  CHECK(one.subscribe({"t"}).error().code() == Errc::read_only);
}
