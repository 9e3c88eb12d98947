// Transactions: one record to each of four topics and one position of a group, in one step.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "bench_support.hpp"
#include "commit_load.hpp"
#include "directory/engine_impl.hpp"
#include "transaction_steps.hpp"

namespace seriatim::bench {
namespace {

constexpr std::int64_t transactions_at_leader = 300'000;

class Transactions final : public Committer {
 public:
  Transactions(const std::filesystem::path& directory, int threads)
      : engine_(open_engine_of_four_topics(directory / "data")) {
    for (int i = 0; i < threads; ++i)
      steps_.push_back(std::make_unique<TransactionSteps>(engine_, i, Acks::all));
  }
  void commit(int thread) override { steps_[static_cast<std::size_t>(thread)]->commit(); }
  std::uint64_t syncs() const override {
    const auto& impl = *detail::EngineImpl::of(engine_);
    return impl.journal->stats().syncs + impl.partition_counters.syncs.value();
  }

 private:
  Engine engine_;
  std::vector<std::unique_ptr<TransactionSteps>> steps_;
};

// By the clock, over as long as it takes the background to make checkpoints beside it.
void transaction_leader(benchmark::State& state) {
  const ScratchDirectory scratch;
  prewarm_page_cache(scratch.path(), std::size_t{1} << 30);
  const Engine engine = open_engine_of_four_topics(scratch.path() / "data");
  TransactionSteps steps(engine, 0, Acks::leader);
  for (int i = 0; i < 1'000; ++i) steps.commit();
  for (auto _ : state) steps.commit();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(transaction_leader)->Iterations(transactions_at_leader)->UseRealTime();

const bool entered = enter_committer(
    "transaction",
    [](const std::filesystem::path& directory, int threads) {
      return std::make_unique<Transactions>(directory, threads);
    },
    1, 16);

}  // namespace
}  // namespace seriatim::bench
