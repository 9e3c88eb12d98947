// A group as members come, go, sleep and commit: the events of Kafka's protocol "consumer", and rules
// that no order of them may break.
#include "group/membership/group.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "group/assign/assign.hpp"
#include "support/must.hpp"
#include "support/random.hpp"

using namespace seriatim;
using group::Group;
using group::Leaving;
using group::MemberSignals;
using group::Step;
using test::must;

namespace {

using Partitions = std::vector<TopicPartition>;

Partitions of_topic(const std::string& topic, std::initializer_list<std::int32_t> numbers) {
  Partitions all;
  for (const std::int32_t number : numbers) all.push_back({topic, number});
  return all;
}

group::MemberSettings settings(std::vector<std::string> topics, Assignor assignor = Assignor::range) {
  return {.subscription = {.names = std::move(topics)},
          .assignor = assignor,
          .max_poll_interval_ms = 1'000,
          .session_timeout_ms = 5'000};
}

/// A group that computes its targets as a member's poll does.
struct Played {
  Group group{"g"};
  group::TopicCounts topics{{"t", 4}};
  std::int64_t now_ms = 0;
  std::uint64_t joined = 0;
  std::map<std::string, std::shared_ptr<MemberSignals>> signals{};

  std::string join(group::MemberSettings wanted) {
    group.resolve(topics);
    auto told = std::make_shared<MemberSignals>([] {});
    const std::string id = must(group.join(std::move(wanted), told, ++joined, now_ms));
    signals[id] = told;
    return id;
  }
  void compute() {
    while (const auto task = group.begin_target(topics)) {
      const auto assignment = group::assign::assign(task->assignor, task->request);
      group.end_target(*task, &assignment);
    }
  }
  Step step(const std::string& id) {
    compute();
    signals.at(id)->take_news();
    return must(group.step(id));
  }
  Partitions owned(const std::string& id) const {
    const auto& owned = group.owners().of(id);
    return {owned.begin(), owned.end()};
  }
  /// Polls until nothing changes for this member.
  void settle(const std::string& id) {
    for (auto now = step(id); !now.to_revoke.empty(); now = step(id)) group.release(id, now.to_revoke);
  }
};

}  // namespace

TEST_CASE("a rebalance goes event by event as Kafka's does: nothing is taken from who does not poll") {
  Played play;
  const auto c1 = play.join(settings({"t"}));
  auto step = play.step(c1);
  CHECK(step.has_settled);
  CHECK(step.owned == of_topic("t", {0, 1, 2, 3}));
  const auto first_epoch = step.epoch;

  const auto c2 = play.join(settings({"t"}));
  step = play.step(c2);
  CHECK(step.has_settled);
  CHECK(step.owned.empty());
  CHECK(step.epoch == first_epoch + 1);
  // C1 has not polled: everything is its own, and it may commit.
  CHECK(play.owned(c1) == of_topic("t", {0, 1, 2, 3}));
  CHECK(play.group.begin_commit(c1, first_epoch, {{{"t", 3}, {.offset = 1}}}));
  play.group.end_commit(of_topic("t", {3}));

  step = play.step(c1);
  CHECK(step.to_revoke == of_topic("t", {2, 3}));
  CHECK(play.owned(c1) == of_topic("t", {0, 1, 2, 3}));
  CHECK(play.step(c2).owned.empty());
  play.group.release(c1, step.to_revoke);
  CHECK(play.signals.at(c2)->has_news());
  step = play.step(c1);
  CHECK(step.has_settled);
  CHECK(step.owned == of_topic("t", {0, 1}));
  CHECK(step.epoch == first_epoch + 1);
  CHECK(play.step(c2).owned == of_topic("t", {2, 3}));
}

TEST_CASE("a member that loses and gains nothing notices nothing") {
  Played play;
  play.topics = {{"a", 1}, {"b", 1}};
  const auto c1 = play.join(settings({"a"}));
  play.settle(c1);
  play.join(settings({"b"}));
  play.compute();
  const auto step = play.step(c1);
  CHECK_FALSE(step.has_settled);
  CHECK(step.owned == of_topic("a", {0}));
  CHECK(step.epoch == play.group.epoch());
}

TEST_CASE("a static member that closes keeps its partitions, and comes back to them unnoticed") {
  Played play;
  auto wanted = settings({"t"});
  wanted.group_instance_id = "one";
  const auto before = play.join(wanted);
  const auto other = play.join(settings({"t"}));
  for (int i = 0; i < 2; ++i) {
    play.settle(before);
    play.settle(other);
  }
  const auto epoch = play.group.epoch();
  const auto had = play.owned(before);
  REQUIRE(had.size() == 2);
  CHECK(play.group.join(wanted, std::make_shared<MemberSignals>([] {}), 99, 0).error().code() ==
        Errc::unreleased_instance_id);
  play.group.remove(before, Leaving::stays, play.now_ms);
  CHECK(play.owned(before) == had);
  play.signals.at(other)->enter_poll();
  play.now_ms = 4'999;
  play.group.expire(play.now_ms);
  const auto after = play.join(wanted);
  CHECK(after != before);
  const auto step = play.step(after);
  CHECK(step.owned == had);
  CHECK(step.has_settled);
  CHECK(play.group.epoch() == epoch);

  play.group.remove(after, Leaving::stays, play.now_ms);
  play.now_ms += 5'000;
  play.group.expire(play.now_ms);
  CHECK_FALSE(play.group.has(after));
  play.settle(other);
  CHECK(play.owned(other).size() == 4);
}

TEST_CASE("a member that does not poll in time is removed; one that waits in a poll is not") {
  Played play;
  const auto sleeper = play.join(settings({"t"}));
  const auto waiter = play.join(settings({"t"}));
  play.settle(sleeper);
  play.settle(waiter);
  play.signals.at(waiter)->enter_poll();
  play.group.expire(999);
  CHECK(play.group.has(sleeper));
  play.group.expire(1'000);
  CHECK_FALSE(play.group.has(sleeper));
  CHECK(play.group.has(waiter));
  CHECK(play.group.step(sleeper).error().code() == Errc::unknown_member_id);
  CHECK(play.signals.at(sleeper)->has_news());
  play.settle(waiter);
  CHECK(play.owned(waiter).size() == 4);
  // Each poll counts anew.
  play.signals.at(waiter)->leave_poll();
  play.group.expire(1'500);
  play.group.expire(2'400);
  CHECK(play.group.has(waiter));
  play.group.expire(2'500);
  CHECK_FALSE(play.group.has(waiter));
}

TEST_CASE("only the owner of a partition commits it, and while it does nobody else gets the partition") {
  Played play;
  CHECK(play.group.begin_commit("", -1, {{{"t", 0}, {.offset = 1}}}));
  const auto c1 = play.join(settings({"t"}));
  play.settle(c1);
  const TopicPartitionOffsets of_last{{{"t", 3}, {.offset = 1}}};
  CHECK(play.group.begin_commit("", -1, of_last).error().code() == Errc::unknown_member_id);
  CHECK(play.group.begin_commit("member-99999999", -1, of_last).error().code() == Errc::unknown_member_id);
  const auto old_epoch = play.step(c1).epoch;
  REQUIRE(play.group.begin_commit(c1, old_epoch, of_last));
  // Thrown out in the middle of its commit.
  const auto c2 = play.join(settings({"t"}));
  play.group.remove(c1, Leaving::ends, 0);
  play.settle(c2);
  CHECK(play.owned(c2) == of_topic("t", {0, 1, 2}));
  play.group.end_commit(of_topic("t", {3}));
  CHECK(play.signals.at(c2)->has_news());
  play.settle(c2);
  CHECK(play.owned(c2) == of_topic("t", {0, 1, 2, 3}));
  CHECK(play.group.begin_commit(c1, old_epoch, of_last).error().code() == Errc::unknown_member_id);
  // Of an epoch in which the partition was another's.
  const auto refused = play.group.begin_commit(c2, old_epoch, of_last);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message().find("t-3") != std::string::npos);
  // Topics that nobody of the group subscribes to are nobody's.
  CHECK(play.group.begin_commit(c2, -1, {{{"other", 0}, {.offset = 0}}}));
}

TEST_CASE("topics that come, grow and go are assigned and revoked without a restart") {
  Played play;
  const auto c1 =
      play.join({.subscription = {.matches = [](std::string_view name) { return name[0] == 'x'; }},
                 .max_poll_interval_ms = 1'000});
  play.settle(c1);
  CHECK(play.owned(c1).empty());
  play.topics["x1"] = 1;
  play.group.resolve(play.topics);
  CHECK(play.signals.at(c1)->has_news());
  play.settle(c1);
  CHECK(play.owned(c1) == of_topic("x1", {0}));
  play.topics["x1"] = 2;
  play.settle(c1);
  CHECK(play.owned(c1) == of_topic("x1", {0, 1}));
  play.topics.erase("x1");
  play.settle(c1);
  CHECK(play.owned(c1).empty());
  const auto epoch = play.group.epoch();
  play.topics["t"] = 5;  // not subscribed
  play.settle(c1);
  CHECK(play.group.epoch() == epoch);
}

TEST_CASE("cooperative-sticky comes to an end in its second round") {
  Played play;
  play.topics = {{"a", 4}, {"b", 4}};
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(play.join(settings({"a", "b"}, Assignor::cooperative_sticky)));
    for (int round = 0; round < 4; ++round) {
      for (const auto& id : ids) play.settle(id);
    }
    std::size_t all = 0;
    for (const auto& id : ids) all += play.owned(id).size();
    CHECK(all == 8);
  }
  const auto epoch = play.group.epoch();
  for (const auto& id : ids) play.settle(id);
  CHECK(play.group.epoch() == epoch);
}

TEST_CASE("an assignor that fails leaves the assignment as it was, and is asked again") {
  Played play;
  const auto c1 = play.join(settings({"t"}));
  play.settle(c1);
  play.topics["t"] = 5;
  const auto task = play.group.begin_target(play.topics);
  REQUIRE(task);
  CHECK_FALSE(play.group.begin_target(play.topics));
  play.group.end_target(*task, nullptr);
  CHECK(must(play.group.step(c1)).owned == of_topic("t", {0, 1, 2, 3}));
  CHECK(play.group.begin_target(play.topics));
}

namespace {

/// Plays random moves, and keeps what each member has been told.
class Game {
 public:
  Game(test::Random& random, Assignor assignor) : random_(random), assignor_(assignor) {
    play_.topics = {{"a", 5}, {"b", 3}, {"c", 1}};
  }

  void move() {
    switch (random_.between(0, 9)) {
      case 0:
        return join();
      case 1:
        return leave();
      case 2:
        play_.topics["a"] += random_.one_in(4) ? 1 : 0;
        return;
      case 3:
        if (random_.one_in(4) && play_.topics.erase("d") == 0) play_.topics["d"] = 2;
        return;
      case 4:
        return begin_commit();
      case 5:
        return end_commits();
      default:
        if (!ids_.empty()) poll(chosen());
    }
  }
  void check_owners() const {
    std::set<TopicPartition> owned;
    for (const auto& [id, own] : believes_) {
      for (const TopicPartition& at : own) {
        CAPTURE(at.topic);
        CAPTURE(at.partition);
        REQUIRE(owned.insert(at).second);
        const auto under_way = commits_.find(at);
        if (under_way != commits_.end()) REQUIRE(under_way->second == id);
      }
    }
  }
  void check_all_have_owners() {
    end_commits();
    for (int round = 0; round < 12; ++round) {
      for (const auto& id : std::vector(ids_)) poll(id);
    }
    std::set<std::string> topics;
    for (const auto& [id, member] : play_.group.members())
      topics.insert(member.topics.begin(), member.topics.end());
    std::size_t wanted = 0;
    for (const auto& topic : topics) wanted += static_cast<std::size_t>(play_.topics.at(topic));
    std::size_t owned = 0;
    for (const auto& [id, own] : believes_) owned += own.size();
    CHECK(owned == wanted);
  }

 private:
  const std::string& chosen() const {
    return ids_[static_cast<std::size_t>(random_.between(0, std::ssize(ids_) - 1))];
  }
  void join() {
    const char* const third = random_.one_in(2) ? "c" : "d";
    if (ids_.size() < 6) ids_.push_back(play_.join(settings({"a", "b", third}, assignor_)));
  }
  void leave() {
    if (ids_.empty()) return;
    const auto id = chosen();
    play_.group.remove(id, Leaving::ends, 0);
    believes_.erase(id);
    std::erase(ids_, id);
  }
  void poll(const std::string& id) {
    play_.compute();
    const auto step = must(play_.group.step(id));
    for (const auto& at : step.to_revoke) believes_[id].erase(at);
    if (!step.to_revoke.empty()) return play_.group.release(id, step.to_revoke);
    believes_[id] = {step.owned.begin(), step.owned.end()};
  }
  void begin_commit() {
    if (ids_.empty() || !commits_.empty()) return;
    const auto id = chosen();
    if (believes_[id].empty()) return;
    const TopicPartition at = *believes_[id].begin();
    REQUIRE(play_.group.begin_commit(id, -1, {{at, {.offset = 1}}}));
    commits_[at] = id;
  }
  void end_commits() {
    for (const auto& [at, id] : commits_) play_.group.end_commit({at});
    commits_.clear();
  }

  test::Random& random_;
  const Assignor assignor_;
  Played play_{};
  std::vector<std::string> ids_{};
  std::map<std::string, std::set<TopicPartition>> believes_{};
  std::map<TopicPartition, std::string> commits_{};
};

}  // namespace

TEST_CASE("whatever members do in whatever order, a partition has one owner, and in the end all have one") {
  test::Random random("schedules of a group");
  for (int round = 0; round < 60; ++round) {
    Game game(random, static_cast<Assignor>(random.between(0, 4)));
    for (int move = 0; move < 300; ++move) {
      game.move();
      game.check_owners();
    }
    game.check_all_have_owners();
  }
}
