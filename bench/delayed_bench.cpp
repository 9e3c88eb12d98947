// Delayed messages by turns with a transaction of one record and one row of state, in one run: one message at
// a time, batches of 100, and their delivery. All at `leader`. The median turn counts.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "bench_support.hpp"

namespace seriatim::bench {
namespace {

constexpr int delayed_rounds = 60;
constexpr int singles_of_turn = 300;
constexpr int batches_of_turn = 20;
constexpr std::size_t messages_of_batch = 100;

struct DelayedContestant {
  const char* name;
  int calls_of_turn;
  std::function<void()> turn;
  std::vector<double> call_ns{};

  void take() {
    const auto begin = std::chrono::steady_clock::now();
    turn();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    call_ns.push_back(took.count() / calls_of_turn);
  }
  double median_ns() {
    auto middle = call_ns.begin() + static_cast<std::ptrdiff_t>(call_ns.size() / 2);
    std::nth_element(call_ns.begin(), middle, call_ns.end());
    return *middle;
  }
};

DelayedMessages open_delayed(const Engine& engine, const std::string& name) {
  return must(
      DelayedMessages::open(engine, {.name = name, .acks = Acks::leader, .delivers_in_background = false}));
}

void delayed_in_turn(benchmark::State& state) {
  const ScratchDirectory scratch;
  prewarm_page_cache(scratch.path(), std::size_t{256} << 20);
  const Engine engine = open_engine(scratch.path() / "data");
  const std::string value = payload(100);
  const ProducerRecord record{.topic = "bench", .value = value, .partition = 0};
  const std::vector<DelayedRecord> later(messages_of_batch,
                                         {.record = record, .due = std::chrono::hours(24)});
  const std::vector<DelayedRecord> now(messages_of_batch, {.record = record});
  TransactionalProducer producer =
      must(engine.transactional_producer({.transactional_id = "plain", .acks = Acks::leader}));
  DelayedMessages singles = open_delayed(engine, "singles");
  DelayedMessages batches = open_delayed(engine, "batches");
  DelayedMessages due = open_delayed(engine, "due");
  std::uint64_t keys = 0;
  std::array contestants{
      DelayedContestant{"record_and_row", singles_of_turn,
                        [&] {
                          for (int i = 0; i < singles_of_turn; ++i) {
                            Transaction transaction = must(producer.begin());
                            must(transaction.send(record));
                            must(transaction.state("rows").put("key " + std::to_string(++keys), value));
                            must(transaction.commit());
                          }
                        }},
      DelayedContestant{"schedule", singles_of_turn,
                        [&] {
                          for (int i = 0; i < singles_of_turn; ++i)
                            must(singles.schedule(record, std::chrono::hours(24)));
                        }},
      DelayedContestant{"schedule_of_100", batches_of_turn * static_cast<int>(messages_of_batch),
                        [&] {
                          for (int i = 0; i < batches_of_turn; ++i) must(batches.schedule(later));
                        }},
      DelayedContestant{"deliver", batches_of_turn * static_cast<int>(messages_of_batch),
                        [&] { must(due.deliver()); }},
  };
  for (auto _ : state) {
    for (int round = 0; round < delayed_rounds; ++round) {
      for (int i = 0; i < batches_of_turn; ++i) must(due.schedule(now));
      for (DelayedContestant& contestant : contestants) contestant.take();
    }
  }
  for (DelayedContestant& contestant : contestants)
    state.counters[std::string(contestant.name) + "_ns"] = contestant.median_ns();
  // At most 1.3; at least 300'000.
  state.counters["schedule_by_record_and_row"] = contestants[1].median_ns() / contestants[0].median_ns();
  state.counters["scheduled_per_second_by_100"] = 1e9 / contestants[2].median_ns();
}
BENCHMARK(delayed_in_turn)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace seriatim::bench
