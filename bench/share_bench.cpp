// Share groups by turns with a consumer that only polls, in one run: the price of acquiring and accepting
// records in batches, and of accepting them one by one. The median turn counts.
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

constexpr int rounds = 100;
constexpr std::size_t records_of_poll = 500;
constexpr int polls_of_turn = 20;

struct Turns {
  const char* name;
  std::function<void()> turn;
  std::vector<double> record_ns{};

  void take() {
    const auto begin = std::chrono::steady_clock::now();
    turn();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    record_ns.push_back(took.count() / static_cast<double>(records_of_poll * polls_of_turn));
  }
  double median_ns() {
    auto middle = record_ns.begin() + static_cast<std::ptrdiff_t>(record_ns.size() / 2);
    std::nth_element(record_ns.begin(), middle, record_ns.end());
    return *middle;
  }
};

// Enough for all rounds of all three.
void fill_for_sharing(const Engine& engine) {
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  const std::string value = payload(100);
  const std::vector<Record> records(records_of_poll, Record{.value = value});
  for (int i = 0; i < (rounds + 1) * polls_of_turn; ++i) must(producer.append({"bench", 0}, records));
}

std::size_t read(const ConsumerRecords& records) {
  std::size_t bytes = 0;
  for (const RecordView& record : records) bytes += record.value().size();
  return bytes;
}

void share_in_turn(benchmark::State& state) {
  const ScratchDirectory scratch;
  prewarm_page_cache(scratch.path(), std::size_t{768} << 20);
  const Engine engine = open_engine(scratch.path() / "data");
  fill_for_sharing(engine);
  constexpr std::chrono::milliseconds no_wait{0};
  Consumer plain = must(engine.consumer({.max_poll_records = records_of_poll}));
  must(plain.assign_topic("bench"));
  ShareConsumer batches = must(engine.share_consumer(
      {.group_id = "batches", .max_poll_records = records_of_poll, .commit_acks = Acks::leader}));
  must(batches.subscribe({"bench"}));
  ShareConsumer singles =
      must(engine.share_consumer({.group_id = "singles",
                                  .acknowledgement_mode = ShareAcknowledgementMode::explicit_,
                                  .max_poll_records = records_of_poll,
                                  .commit_acks = Acks::leader}));
  must(singles.subscribe({"bench"}));
  std::array contestants{
      Turns{"plain_poll",
            [&] {
              for (int i = 0; i < polls_of_turn; ++i)
                benchmark::DoNotOptimize(read(must(plain.poll(no_wait))));
            }},
      Turns{"acquire_and_accept",
            [&] {
              for (int i = 0; i < polls_of_turn; ++i) {
                const ShareRecords records = must(batches.poll(no_wait));
                benchmark::DoNotOptimize(read(records.records()));
              }
              must(batches.commit_sync());
            }},
      Turns{"accept_one_by_one",
            [&] {
              for (int i = 0; i < polls_of_turn; ++i) {
                const ShareRecords records = must(singles.poll(no_wait));
                for (const RecordView& record : records.records()) {
                  must(singles.acknowledge(record));
                  must(singles.commit_sync());
                }
              }
            }},
  };
  for (auto _ : state) {
    for (int round = 0; round < rounds; ++round) {
      for (Turns& contestant : contestants) contestant.take();
    }
  }
  for (Turns& contestant : contestants)
    state.counters[std::string(contestant.name) + "_ns"] = contestant.median_ns();
  state.counters["share_of_poll"] = contestants[0].median_ns() / contestants[1].median_ns();
}
BENCHMARK(share_in_turn)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace seriatim::bench
