// A parallel consumer with an empty handler by turns with a loop that only polls, in one run: the price of
// handing records out by key. The median turn counts.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench_support.hpp"

namespace seriatim::bench {
namespace {

constexpr int parallel_turns = 7;
constexpr std::size_t parallel_records = 1'000'000;
constexpr std::size_t parallel_batch = 500;
constexpr std::size_t parallel_keys = 1'000;

/// Records a second.
class ParallelTurns {
 public:
  void take(const std::function<void()>& turn) {
    const auto begin = std::chrono::steady_clock::now();
    turn();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    rates_.push_back(static_cast<double>(parallel_records) / took.count());
  }
  double median() {
    const auto middle = rates_.begin() + static_cast<std::ptrdiff_t>(rates_.size() / 2);
    std::nth_element(rates_.begin(), middle, rates_.end());
    return *middle;
  }

 private:
  std::vector<double> rates_{};
};

void fill_with_keys(const Engine& engine) {
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  const std::string value = payload(100);
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < parallel_keys; ++i) keys.push_back("key " + std::to_string(i));
  std::vector<Record> records(parallel_batch, Record{.value = value});
  for (std::size_t i = 0; i < parallel_records; i += parallel_batch) {
    for (std::size_t j = 0; j < parallel_batch; ++j) records[j].key = keys[(i + j) % parallel_keys];
    must(producer.append({"bench", 0}, records));
  }
}

void poll_all(const Engine& engine) {
  Consumer consumer = must(engine.consumer({.max_poll_records = parallel_batch}));
  must(consumer.assign_topic("bench"));
  std::size_t bytes = 0;
  for (std::size_t count = 0; count < parallel_records;) {
    const auto records = must(consumer.poll(std::chrono::milliseconds(0)));
    for (const RecordView& record : records) bytes += record.value().size();
    count += records.count();
  }
  benchmark::DoNotOptimize(bytes);
}

/// @param group  a new one.
void handle_all(const Engine& engine, const std::string& group, ParallelOrder order) {
  ParallelConsumer consumer = must(ParallelConsumer::open(engine,
                                                          {.group_id = group,
                                                           .topics = {"bench"},
                                                           .order = order,
                                                           .workers = 2,
                                                           .acks = Acks::leader,
                                                           .consumer = {.max_poll_records = parallel_batch}},
                                                          [](const RecordView& record) {
                                                            benchmark::DoNotOptimize(record.value().size());
                                                            return Result<>();
                                                          }));
  must(consumer.start());
  while (consumer.status().handled_records < parallel_records)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  consumer.stop();
  must(consumer.wait());
}

void parallel_in_turn(benchmark::State& state) {
  const ScratchDirectory scratch;
  prewarm_page_cache(scratch.path(), std::size_t{256} << 20U);
  const Engine engine = open_engine(scratch.path() / "data");
  fill_with_keys(engine);
  ParallelTurns plain;
  ParallelTurns per_key;
  ParallelTurns unordered;
  for (auto _ : state) {
    for (int turn = 0; turn < parallel_turns; ++turn) {
      const std::string number = std::to_string(turn);
      plain.take([&] { poll_all(engine); });
      per_key.take([&] { handle_all(engine, "key" + number, ParallelOrder::per_key); });
      unordered.take([&] { handle_all(engine, "none" + number, ParallelOrder::none); });
    }
  }
  state.counters["plain_poll:per_second"] = plain.median();
  state.counters["parallel_per_key:per_second"] = per_key.median();
  state.counters["parallel_unordered:per_second"] = unordered.median();
}
BENCHMARK(parallel_in_turn)->Arg(1)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace seriatim::bench
