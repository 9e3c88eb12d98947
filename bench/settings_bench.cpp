// The cost of each setting for the caller, one call after the other in one thread: docs/durability.md has the
// table.
#include <benchmark/benchmark.h>

#include <string>

#include "bench_support.hpp"

namespace seriatim::bench {
namespace {

constexpr std::size_t value_bytes = 100;
// Enough for a steady mean, few enough that the slowest take seconds.
constexpr std::int64_t calls_in_memory = 1'000'000;
constexpr std::int64_t calls_to_disk = 20'000;

void setting_append(benchmark::State& state, const ProducerOptions& options, const ConfigMap& config) {
  const ScratchDirectory scratch;
  prewarm_page_cache(scratch.path(), std::size_t{512} << 20);
  Engine engine = open_engine(scratch.path() / "data", 1, config);
  Producer producer = must(engine.producer(options));
  const std::string value = payload(value_bytes);
  for (int i = 0; i < 1'000; ++i) must(producer.send_sync({.topic = "bench", .value = value}));
  for (auto _ : state) must(producer.send_sync({.topic = "bench", .value = value}));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(setting_append, acks_none, {.acks = Acks::none}, {})->Iterations(calls_in_memory);
BENCHMARK_CAPTURE(setting_append, acks_leader, {.acks = Acks::leader}, {})->Iterations(calls_in_memory);
BENCHMARK_CAPTURE(setting_append, acks_leader_idempotent, {.acks = Acks::leader, .enable_idempotence = true},
                  {})
    ->Iterations(calls_in_memory);
BENCHMARK_CAPTURE(setting_append, acks_leader_flush_messages_1000, {.acks = Acks::leader},
                  {{"flush.messages", "1000"}})
    ->Iterations(calls_in_memory);
BENCHMARK_CAPTURE(setting_append, acks_leader_flush_messages_1, {.acks = Acks::leader},
                  {{"flush.messages", "1"}})
    ->Iterations(calls_to_disk)
    ->UseRealTime();
BENCHMARK_CAPTURE(setting_append, acks_all, {.acks = Acks::all}, {})
    ->Iterations(calls_to_disk)
    ->UseRealTime();

void setting_commit(benchmark::State& state, Acks acks) {
  const ScratchDirectory scratch;
  Engine engine = open_engine(scratch.path() / "data");
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  must(producer.send_sync({.topic = "bench", .value = "one"}));
  Consumer consumer = must(engine.consumer({.group_id = "group", .commit_acks = acks}));
  for (auto _ : state) must(consumer.commit_sync({{{"bench", 0}, {.offset = 1}}}));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(setting_commit, leader, Acks::leader)->Iterations(calls_to_disk * 10);
BENCHMARK_CAPTURE(setting_commit, all, Acks::all)->Iterations(calls_to_disk)->UseRealTime();

}  // namespace
}  // namespace seriatim::bench
