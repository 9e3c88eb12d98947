// A commit and a short scan while a million keys wait for a checkpoint, against the same with none: by turns,
// in one run. Commits are due at a fixed rate, and one that waits makes those behind it late: a stall counts
// for as many commits as it is long.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "bench_support.hpp"

namespace seriatim::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int pending_keys = 1'000'000;
constexpr int keys_of_a_transaction = 1'000;
constexpr int turns = 12;
constexpr int commits_of_a_turn = 1'000;
constexpr std::chrono::microseconds commit_every{1'000};
constexpr int scans = 1'000;
constexpr std::size_t scanned_entries = 10;

class PendingState {
 public:
  PendingState(const char* name, const std::filesystem::path& directory, int keys)
      : name_(name),
        engine_(must(Engine::open(directory, {.checkpoint_interval = std::chrono::hours(1),
                                              .journal_max_bytes = std::uint64_t{4} << 30}))),
        producer_(
            must(engine_.transactional_producer({.transactional_id = "writer", .acks = Acks::leader}))) {
    for (int key = 0; key < keys; key += keys_of_a_transaction) enter(key);
  }

  void take_turn() {
    auto due = Clock::now();
    for (int i = 0; i < commits_of_a_turn; ++i) {
      due += commit_every;
      const bool is_late = Clock::now() >= due;
      if (!is_late) std::this_thread::sleep_until(due);
      const auto begin = is_late ? due : Clock::now();
      commit();
      latencies_us_.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
    }
  }

  void report(benchmark::State& state) {
    std::sort(latencies_us_.begin(), latencies_us_.end());
    const auto at = [&](std::size_t percent) { return latencies_us_[latencies_us_.size() * percent / 100]; };
    const std::string prefix(name_);
    state.counters[prefix + ":p50_us"] = at(50);
    state.counters[prefix + ":p99_us"] = at(99);
    state.counters[prefix + ":max_us"] = latencies_us_.back();
    state.counters[prefix + ":per_second"] = 1e6 / at(50);
  }

  double scans_per_second() const {
    const State table = must(engine_.state("table"));
    std::vector<double> took_us;
    for (int i = 0; i < scans; ++i) {
      const std::string from = key_of(static_cast<int>(i * std::int64_t{pending_keys} / scans));
      const auto begin = Clock::now();
      benchmark::DoNotOptimize(must(table.scan(from, scanned_entries)));
      took_us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
    }
    std::nth_element(took_us.begin(), took_us.begin() + scans / 2, took_us.end());
    return 1e6 / took_us[scans / 2];
  }

 private:
  static std::string key_of(int number) { return "key-" + std::to_string(1'000'000'000 + number); }

  void enter(int first) {
    Transaction transaction = must(producer_.begin());
    auto table = transaction.state("table");
    for (int i = 0; i < keys_of_a_transaction; ++i) must(table.put(key_of(first + i), value_));
    must(transaction.commit());
  }

  void commit() {
    Transaction transaction = must(producer_.begin());
    must(transaction.state("other").put("key", value_));
    must(transaction.commit());
  }

  const char* const name_;
  const std::string value_ = payload(100);
  Engine engine_;
  TransactionalProducer producer_;
  std::vector<double> latencies_us_;
};

void pending_in_turn(benchmark::State& state) {
  const ScratchDirectory scratch;
  PendingState none("commit_pending_none", scratch.path() / "none", 0);
  PendingState million("commit_pending_million", scratch.path() / "million", pending_keys);
  for (auto _ : state) {
    for (int turn = 0; turn < turns; ++turn) {
      none.take_turn();
      million.take_turn();
    }
  }
  none.report(state);
  million.report(state);
  state.counters["scan_pending_million:per_second"] = million.scans_per_second();
}
BENCHMARK(pending_in_turn)->Arg(1)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace seriatim::bench
