// Transactions: one record to each of four topics and one position of a group, in one step.
#include <benchmark/benchmark.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "api/engine_impl.hpp"
#include "bench_support.hpp"
#include "commit_load.hpp"

namespace seriatim::bench {
namespace {

constexpr std::size_t value_bytes = 100;
constexpr PartitionId partitions = 16;  // as many as there are threads, so that none waits for another's
constexpr std::array<const char*, 4> topics{"bench", "second", "third", "fourth"};
constexpr std::int64_t transactions_at_leader = 300'000;

Engine open_engine_of_four(const std::filesystem::path& directory) {
  Engine engine = open_engine(directory, partitions);
  for (const char* const topic : topics) {
    if (topic != topics.front())
      must(engine.admin().create_topic({.name = topic, .partition_count = partitions}));
  }
  // A position is one of a record that is there.
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  must(producer.send_sync({.topic = "bench", .value = "read", .partition = partitions - 1}));
  return engine;
}

/// What one thread commits.
class Steps {
 public:
  Steps(const Engine& engine, int thread, Acks acks)
      : producer_(must(engine.transactional_producer(
            {.transactional_id = "worker-" + std::to_string(thread), .acks = acks}))),
        group_{.group_id = "group-" + std::to_string(thread)},
        partition_(thread % partitions) {}

  void commit() {
    Transaction transaction = must(producer_.begin());
    for (const char* const topic : topics)
      must(transaction.send({.topic = topic, .value = value_, .partition = partition_}));
    must(transaction.send_offsets(position_, group_));
    must(transaction.commit());
  }

 private:
  TransactionalProducer producer_;
  ConsumerGroupMetadata group_;
  PartitionId partition_;
  TopicPartitionOffsets position_{{{"bench", partitions - 1}, {.offset = 1}}};
  std::string value_ = payload(value_bytes);
};

class Transactions final : public Committer {
 public:
  Transactions(const std::filesystem::path& directory, int threads)
      : engine_(open_engine_of_four(directory / "data")) {
    for (int i = 0; i < threads; ++i) steps_.push_back(std::make_unique<Steps>(engine_, i, Acks::all));
  }
  void commit(int thread) override { steps_[static_cast<std::size_t>(thread)]->commit(); }
  std::uint64_t syncs() const override {
    const auto& impl = *detail::EngineImpl::of(engine_);
    return impl.journal->stats().syncs + impl.partition_counters.syncs.value();
  }

 private:
  Engine engine_;
  std::vector<std::unique_ptr<Steps>> steps_;
};

void transaction_leader(benchmark::State& state) {
  const ScratchDirectory scratch;
  prewarm_page_cache(scratch.path(), std::size_t{1} << 30);
  const Engine engine = open_engine_of_four(scratch.path() / "data");
  Steps steps(engine, 0, Acks::leader);
  for (int i = 0; i < 1'000; ++i) steps.commit();
  for (auto _ : state) steps.commit();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(transaction_leader)->Iterations(transactions_at_leader);

const bool entered = enter_committer(
    "transaction",
    [](const std::filesystem::path& directory, int threads) {
      return std::make_unique<Transactions>(directory, threads);
    },
    1, 16);

}  // namespace
}  // namespace seriatim::bench
