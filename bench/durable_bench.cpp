// Durable commits of the engine: records with acks = all and positions of consumer groups, alone, together,
// over one partition and over many. The floors are in commit_bench.cpp.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "api/engine_impl.hpp"
#include "bench_support.hpp"
#include "commit_load.hpp"

namespace seriatim::bench {
namespace {

constexpr PartitionId partition_count = 64;
constexpr std::size_t value_bytes = 100;

/// An engine with a producer and a consumer group for each thread.
class Threads {
 public:
  explicit Threads(int threads) : engine_(open_engine(scratch_.path() / "data", partition_count)) {
    for (int i = 0; i < threads; ++i) {
      producers_.push_back(must(engine_.producer({.acks = Acks::all})));
      consumers_.push_back(must(engine_.consumer({.group_id = "group-" + std::to_string(i)})));
    }
  }
  void send(int thread, PartitionId partition) {
    must(producers_[static_cast<std::size_t>(thread)].send_sync(
        {.topic = "bench", .value = value_, .partition = partition}));
  }
  /// One record to each of `count` partitions from the first; waits for all.
  void send_to_many(PartitionId count) {
    deliveries_.clear();
    for (PartitionId i = 0; i < partition_count; ++i) {
      deliveries_.push_back(producers_[0].send({.topic = "bench", .value = value_, .partition = i % count}));
    }
    for (auto& delivery : deliveries_) must(delivery.get());
  }
  /// Of a partition that has a record.
  void commit_position(int thread) {
    must(consumers_[static_cast<std::size_t>(thread)].commit_sync(
        {{{"bench", thread % partition_count}, {.offset = 1}}}));
  }
  std::uint64_t syncs() const {
    const auto impl = detail::EngineImpl::of(engine_);
    return impl->journal->stats().syncs + impl->partition_counters.syncs.value();
  }

 private:
  ScratchDirectory scratch_;
  Engine engine_;
  std::vector<Producer> producers_;
  std::vector<Consumer> consumers_;
  std::vector<DeliveryFuture> deliveries_;
  std::string value_ = payload(value_bytes);
};

void append_durable(benchmark::State& state) {
  Threads threads(static_cast<int>(state.range(0)));
  measure_commits(
      state, [&](int thread) { threads.send(thread, thread % partition_count); },
      [&] { return threads.syncs(); });
}
BENCHMARK(append_durable)->Arg(1)->Arg(8)->Arg(64)->Iterations(1)->UseManualTime();

void append_durable_one_partition(benchmark::State& state) {
  Threads threads(static_cast<int>(state.range(0)));
  measure_commits(
      state, [&](int thread) { threads.send(thread, 0); }, [&] { return threads.syncs(); });
}
BENCHMARK(append_durable_one_partition)->Arg(64)->Iterations(1)->UseManualTime();

/// 64 records, waited for together.
template <PartitionId Count>
void append_durable_64(benchmark::State& state) {
  Threads threads(1);
  measure_commits(
      state, [&](int) { threads.send_to_many(Count); }, [&] { return threads.syncs(); });
}
BENCHMARK(append_durable_64<1>)->Name("append_64_records/to_1")->Arg(1)->Iterations(1)->UseManualTime();
BENCHMARK(append_durable_64<64>)->Name("append_64_records/to_64")->Arg(1)->Iterations(1)->UseManualTime();

/// Every second thread commits positions, the others records.
void positions_durable(benchmark::State& state) {
  Threads threads(static_cast<int>(state.range(0)));
  threads.send_to_many(partition_count);
  measure_commits(
      state,
      [&](int thread) {
        if (thread % 2 == 0) {
          threads.commit_position(thread);
        } else {
          threads.send(thread, thread % partition_count);
        }
      },
      [&] { return threads.syncs(); });
}
BENCHMARK(positions_durable)->Arg(1)->Arg(8)->Arg(64)->Iterations(1)->UseManualTime();

}  // namespace
}  // namespace seriatim::bench
