// A relay by turns with the two things it does: reading the source, and appending batches to a target of as
// many partitions. The median turn counts.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "bench_support.hpp"

namespace seriatim::bench {
namespace {

constexpr PartitionId source_partitions = 4;
constexpr PartitionId target_partitions = 12;
constexpr std::size_t relay_turns = 20;
constexpr std::size_t records_of_turn = 100'000;
constexpr std::size_t records_of_append = 1'000;  // as append_batch
constexpr std::size_t keys_of_relay = 1'000;

struct RelayContestant {
  const char* name;
  std::function<std::size_t()> turn;
  std::vector<double> per_second{};

  void take() {
    const auto begin = std::chrono::steady_clock::now();
    const std::size_t records = turn();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    per_second.push_back(static_cast<double>(records) / took.count());
  }
  double median() {
    const auto middle = per_second.begin() + static_cast<std::ptrdiff_t>(per_second.size() / 2);
    std::nth_element(per_second.begin(), middle, per_second.end());
    return *middle;
  }
};

// A batch of each key once.
class KeyedRecords {
 public:
  KeyedRecords() {
    for (std::size_t i = 0; i < keys_of_relay; ++i) keys_.push_back("user-" + std::to_string(100'000 + i));
    for (const std::string& key : keys_) records_.push_back({.key = key, .value = value_});
  }
  const std::vector<Record>& all() const { return records_; }

 private:
  std::vector<std::string> keys_{};
  const std::string value_ = payload(100);
  std::vector<Record> records_{};
};

void relay_in_turn(benchmark::State& state) {
  const ScratchDirectory scratch;
  prewarm_page_cache(scratch.path(), std::size_t{1} << 30);
  const Engine engine = open_engine(scratch.path() / "data", source_partitions);
  for (const char* const topic : {"relayed", "appended"})
    must(engine.admin().create_topic({.name = topic, .partition_count = target_partitions}));
  const KeyedRecords records;
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  // More than is taken: the first turn is not measured, and a batch may go beyond its turn.
  for (std::size_t i = 0; i < 2 * relay_turns * records_of_turn / keys_of_relay; ++i)
    must(producer.append({"bench", static_cast<PartitionId>(i % source_partitions)}, records.all()));
  Consumer consumer = must(engine.consumer({.max_poll_records = 20'000}));
  must(consumer.assign_topic("bench"));
  Relay relay = must(Relay::open(engine, {.from = "bench", .to = "relayed", .acks = Acks::leader}));
  constexpr std::chrono::milliseconds no_wait{0};
  std::array contestants{
      RelayContestant{"relay_replay",
                      [&] {
                        std::size_t taken = 0;
                        std::size_t bytes = 0;
                        while (taken < records_of_turn) {
                          const ConsumerRecords polled = must(consumer.poll(no_wait));
                          for (const RecordView& record : polled)
                            bytes += record.key().size() + record.value().size();
                          taken += polled.count();
                        }
                        benchmark::DoNotOptimize(bytes);
                        return taken;
                      }},
      RelayContestant{"relay_append",
                      [&] {
                        for (std::size_t i = 0; i < records_of_turn / records_of_append; ++i) {
                          const auto partition = static_cast<PartitionId>(i % target_partitions);
                          must(producer.append({"appended", partition}, records.all()));
                        }
                        return records_of_turn;
                      }},
      RelayContestant{"relay", [&] {
                        std::size_t taken = 0;
                        while (taken < records_of_turn) taken += must(relay.run_once(no_wait));
                        return taken;
                      }}};
  for (RelayContestant& contestant : contestants) contestant.turn();
  for (auto _ : state) {
    for (std::size_t turn = 0; turn < relay_turns; ++turn) {
      for (RelayContestant& contestant : contestants) contestant.take();
    }
  }
  for (RelayContestant& contestant : contestants)
    state.counters[std::string(contestant.name) + ":per_second"] = contestant.median();
  state.counters["relay_slower:per_second"] = std::min(contestants[0].median(), contestants[1].median());
}
BENCHMARK(relay_in_turn)->Arg(1)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace seriatim::bench
