// Appends acknowledged from memory, by turns: the costs that idempotence adds to an append, and how many
// appends a transaction is worth, are less than what neighbours of this machine may add. The median turn
// counts.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "bench_support.hpp"
#include "transaction_steps.hpp"

namespace seriatim::bench {
namespace {

constexpr int rounds = 200;
constexpr int appends_per_turn = 5'000;
constexpr int transactions_per_turn = 300;  // so that a turn takes about as long

struct Contestant {
  const char* name;
  int calls_per_turn;
  std::function<void()> turn;
  std::vector<double> call_ns{};

  void take_turn() {
    const auto begin = std::chrono::steady_clock::now();
    turn();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    call_ns.push_back(took.count() / calls_per_turn);
  }
};

std::function<void()> appends(Producer& producer, const std::string& value, PartitionId partition) {
  return [&producer, &value, partition] {
    for (int i = 0; i < appends_per_turn; ++i)
      must(producer.send_sync({.topic = "bench", .value = value, .partition = partition}));
  };
}

void leader_in_turn(benchmark::State& state) {
  const ScratchDirectory scratch;
  prewarm_page_cache(scratch.path(), std::size_t{768} << 20);
  const Engine engine = open_engine_of_four_topics(scratch.path() / "data");
  const std::string value = payload(transaction_value_bytes);
  Producer plain = must(engine.producer({.acks = Acks::leader}));
  Producer idempotent = must(engine.producer({.acks = Acks::leader, .enable_idempotence = true}));
  TransactionSteps steps(engine, 0, Acks::leader);
  const auto transactions = [&steps] {
    for (int i = 0; i < transactions_per_turn; ++i) steps.commit();
  };
  std::array contestants{
      Contestant{"append_leader", appends_per_turn, appends(plain, value, 1)},
      Contestant{"append_idempotent", appends_per_turn, appends(idempotent, value, 2)},
      Contestant{"transaction_at_leader", transactions_per_turn, transactions},
  };
  for (auto _ : state) {
    for (int round = 0; round < rounds; ++round) {
      for (auto& contestant : contestants) contestant.take_turn();
    }
  }
  for (auto& contestant : contestants) {
    const auto middle = contestant.call_ns.begin() + rounds / 2;
    std::nth_element(contestant.call_ns.begin(), middle, contestant.call_ns.end());
    state.counters[std::string(contestant.name) + ":per_second"] = 1e9 / *middle;
  }
}
BENCHMARK(leader_in_turn)->Arg(1)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace seriatim::bench
