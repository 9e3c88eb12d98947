// Consumers that subscribe against consumers that are assigned the same partitions, by turns; the commits of
// a member; and the work of a group when a member comes and another goes.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench_support.hpp"

namespace seriatim::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr PartitionId polled_partitions = 10;
constexpr int polled_records = 20'000;
constexpr std::size_t records_of_a_poll = 10;  // few: the poll counts, not its records
constexpr int turns_of_polls = 100;
constexpr int commits_of_a_turn = 2'000;
constexpr PartitionId shared_partitions = 1'000;
constexpr std::size_t members_of_a_group = 100;

double ns_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
}

/// One contestant: the time of each call of its turns.
class Turns {
 public:
  explicit Turns(const char* name) : name_(name) {}
  void note(double ns_of_all, int calls) { ns_of_a_call_.push_back(ns_of_all / calls); }
  /// The median, as rates: report.py reads these.
  void report(benchmark::State& state) {
    const auto middle = ns_of_a_call_.begin() + static_cast<std::ptrdiff_t>(ns_of_a_call_.size() / 2);
    std::nth_element(ns_of_a_call_.begin(), middle, ns_of_a_call_.end());
    state.counters[std::string(name_) + ":per_second"] = 1e9 / *middle;
  }

 private:
  const char* const name_;
  std::vector<double> ns_of_a_call_{};
};

class Polls {
 public:
  Polls(const char* name, Consumer consumer) : turns_(name), consumer_(std::move(consumer)) {}

  void take_turn() {
    must(consumer_.seek_to_beginning());
    const auto begin = Clock::now();
    int polls = 0;
    for (int records = 0; records < polled_records; ++polls)
      records += static_cast<int>(must(consumer_.poll(std::chrono::milliseconds(0))).count());
    turns_.note(ns_since(begin), polls);
  }
  Turns& turns() { return turns_; }

 private:
  Turns turns_;
  Consumer consumer_;
};

void group_in_turn(benchmark::State& state) {
  const ScratchDirectory scratch;
  Engine engine = open_engine(scratch.path() / "data", polled_partitions);
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  const std::string value = payload(100);
  for (int i = 0; i < polled_records; ++i)
    must(producer.send_sync({.topic = "bench", .value = value, .partition = i % polled_partitions}));
  Consumer one = must(engine.consumer({.group_id = "group", .max_poll_records = records_of_a_poll}));
  must(one.subscribe({"bench"}));
  must(one.poll(std::chrono::milliseconds(0)));
  Consumer other = must(engine.consumer({.max_poll_records = records_of_a_poll}));
  must(other.assign_topic("bench"));
  must(other.poll(std::chrono::milliseconds(0)));
  Polls subscribed("poll_subscribed", std::move(one));
  Polls assigned("poll_assigned", std::move(other));
  for (auto _ : state) {
    for (int turn = 0; turn < turns_of_polls; ++turn) {
      assigned.take_turn();
      subscribed.take_turn();
    }
  }
  subscribed.turns().report(state);
  assigned.turns().report(state);
}
BENCHMARK(group_in_turn)->Arg(1)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

// Positions at leader: of a consumer that assigns, of a member, and of a member that does not wait.
void commits_in_turn(benchmark::State& state) {
  const ScratchDirectory scratch;
  Engine engine = open_engine(scratch.path() / "data");
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  must(producer.send_sync({.topic = "bench", .value = "one"}));
  Consumer alone = must(engine.consumer({.group_id = "alone", .commit_acks = Acks::leader}));
  Consumer member = must(engine.consumer({.group_id = "group", .commit_acks = Acks::leader}));
  must(member.subscribe({"bench"}));
  must(member.poll(std::chrono::milliseconds(0)));
  const TopicPartitionOffsets offsets{{{"bench", 0}, {.offset = 1}}};
  const auto time = [&](Turns& turns, const auto& commit) {
    const auto begin = Clock::now();
    for (int i = 0; i < commits_of_a_turn; ++i) commit();
    turns.note(ns_since(begin), commits_of_a_turn);
  };
  Turns of_alone("commit_alone");
  Turns of_member("commit_member");
  Turns async("commit_async");
  for (auto _ : state) {
    for (int turn = 0; turn < turns_of_polls; ++turn) {
      time(of_alone, [&] { must(alone.commit_sync(offsets)); });
      time(of_member, [&] { must(member.commit_sync(offsets)); });
      time(async, [&] { must(member.commit_async(offsets)); });
      must(member.commit_sync(offsets));  // whose callbacks run here
    }
  }
  of_alone.report(state);
  of_member.report(state);
  async.report(state);
}
BENCHMARK(commits_in_turn)->Arg(1)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

Consumer group_member(const Engine& engine) {
  Consumer member = must(engine.consumer({.group_id = "group"}));
  must(member.subscribe({"bench"}));
  return member;
}

// Polls all by turns until everybody has its part.
void settle_group(const Engine& engine, std::vector<std::unique_ptr<Consumer>>& members) {
  do {
    for (const auto& member : members) must(member->poll(std::chrono::milliseconds(0)));
  } while (must(engine.admin().describe_group("group")).state != GroupState::stable);
}

// 1,000 partitions over 100 members: one goes and another comes, and all poll until each has its part.
void group_rebalance(benchmark::State& state) {
  const ScratchDirectory scratch;
  Engine engine = open_engine(scratch.path() / "data", shared_partitions);
  std::vector<std::unique_ptr<Consumer>> members;
  while (members.size() < members_of_a_group)
    members.push_back(std::make_unique<Consumer>(group_member(engine)));
  settle_group(engine, members);
  for (auto _ : state) {
    members.erase(members.begin());
    settle_group(engine, members);
    members.push_back(std::make_unique<Consumer>(group_member(engine)));
    settle_group(engine, members);
  }
  state.counters["partitions_moved_at_least"] = 2.0 * shared_partitions / members_of_a_group;
}
BENCHMARK(group_rebalance)->Iterations(20)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace seriatim::bench
