// Deduplication: a message that is checked, handled and recorded, beside a plain transaction of one record
// and one state row, both at `leader`.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

#include <seriatim/flow/deduplicator.hpp>

#include "bench_support.hpp"

namespace seriatim::bench {
namespace {

constexpr std::int64_t messages = 300'000;
constexpr std::int64_t warm_messages = 1'000;
// Reached early, so that ids leave the window as fast as they come.
constexpr std::uint64_t window_ids = 50'000;

std::string message_id(std::int64_t number) { return "message-" + std::to_string(number); }

void plain_transaction(benchmark::State& state) {
  const ScratchDirectory scratch;
  const Engine engine = open_engine(scratch.path() / "data");
  TransactionalProducer producer =
      must(engine.transactional_producer({.transactional_id = "plain", .acks = Acks::leader}));
  const std::string value = payload(100);
  const std::string row = payload(18);
  std::int64_t number = 0;
  const auto handle = [&] {
    Transaction transaction = must(producer.begin());
    must(transaction.send({.topic = "bench", .value = value}));
    must(transaction.state("rows").put(message_id(number++), row));
    must(transaction.commit());
  };
  while (number < warm_messages) handle();
  for (auto _ : state) handle();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(plain_transaction)->Name("dedupe_plain_transaction")->Iterations(messages)->UseRealTime();

void deduplicated(benchmark::State& state, bool is_first) {
  const ScratchDirectory scratch;
  const Engine engine = open_engine(scratch.path() / "data");
  Deduplicator dedupe = must(Deduplicator::open(
      engine, {.name = "bench", .window_count = window_ids, .transactions = {.acks = Acks::leader}}));
  const std::string value = payload(100);
  std::int64_t number = 0;
  const auto handle = [&](const std::string& id) {
    DedupeTransaction work = must(dedupe.begin());
    if (must(work.check(id)).is_first) {
      must(work.transaction().send({.topic = "bench", .value = value}));
      must(work.record(id));
    }
    must(work.commit());
  };
  while (number < warm_messages) handle(message_id(number++));
  for (auto _ : state) handle(message_id(is_first ? number++ : number++ % warm_messages));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(deduplicated, first, true)->Name("dedupe_first")->Iterations(messages)->UseRealTime();
BENCHMARK_CAPTURE(deduplicated, duplicate, false)
    ->Name("dedupe_duplicate")
    ->Iterations(messages)
    ->UseRealTime();

}  // namespace
}  // namespace seriatim::bench
