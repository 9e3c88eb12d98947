// Durable commits of the engine: records with acks = all and positions of consumer groups, alone, together,
// over one partition and over many. The floors are in commit_bench.cpp.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bench_support.hpp"
#include "commit_load.hpp"
#include "directory/engine_impl.hpp"

namespace seriatim::bench {
namespace {

constexpr PartitionId partition_count = 64;
constexpr std::size_t value_bytes = 100;

/// An engine with a producer and a consumer group for each thread.
class EngineCommitter : public Committer {
 public:
  EngineCommitter(const std::filesystem::path& directory, int threads)
      : engine_(open_engine(directory / "data", partition_count)) {
    for (int i = 0; i < threads; ++i) {
      producers_.push_back(must(engine_.producer({.acks = Acks::all})));
      consumers_.push_back(must(engine_.consumer({.group_id = "group-" + std::to_string(i)})));
    }
    send_to_many(partition_count);
  }
  std::uint64_t syncs() const override {
    const auto& impl = *detail::EngineImpl::of(engine_);
    return impl.journal->stats().syncs + impl.partition_counters.syncs.value();
  }

 protected:
  void send(int thread, PartitionId partition) {
    must(producers_[static_cast<std::size_t>(thread)].send_sync(
        {.topic = "bench", .value = value_, .partition = partition}));
  }
  /// 64 records over the first `count` partitions; waits for all.
  void send_to_many(PartitionId count) {
    deliveries_.clear();
    for (PartitionId i = 0; i < partition_count; ++i)
      deliveries_.push_back(producers_[0].send({.topic = "bench", .value = value_, .partition = i % count}));
    for (auto& delivery : deliveries_) must(delivery.get());
  }
  /// Of a partition that has a record.
  void commit_position(int thread) {
    must(consumers_[static_cast<std::size_t>(thread)].commit_sync(
        {{{"bench", thread % partition_count}, {.offset = 1}}}));
  }

 private:
  Engine engine_;
  std::vector<Producer> producers_;
  std::vector<Consumer> consumers_;
  std::vector<DeliveryFuture> deliveries_;
  std::string value_ = payload(value_bytes);
};

/// Each thread on a partition of its own.
struct OwnPartitions final : EngineCommitter {
  using EngineCommitter::EngineCommitter;
  void commit(int thread) override { send(thread, thread % partition_count); }
};

struct OnePartition final : EngineCommitter {
  using EngineCommitter::EngineCommitter;
  void commit(int thread) override { send(thread, 0); }
};

/// 64 records, waited for together.
template <PartitionId Count>
struct Records64 final : EngineCommitter {
  using EngineCommitter::EngineCommitter;
  void commit(int) override { send_to_many(Count); }
};

/// Every second thread commits positions, the others records.
struct Positions final : EngineCommitter {
  using EngineCommitter::EngineCommitter;
  void commit(int thread) override {
    if (thread % 2 == 0) {
      commit_position(thread);
    } else {
      send(thread, thread % partition_count);
    }
  }
};

template <class Engines>
std::unique_ptr<Committer> make_engine(const std::filesystem::path& directory, int threads) {
  return std::make_unique<Engines>(directory, threads);
}

const bool entered = enter_committer("append_durable", make_engine<OwnPartitions>) &&
                     enter_committer("append_durable_one_partition", make_engine<OnePartition>, 2) &&
                     enter_committer("append_64_records_to_1", make_engine<Records64<1>>, 1, 1) &&
                     enter_committer("append_64_records_to_64", make_engine<Records64<64>>, 1, 1) &&
                     enter_committer("positions_durable", make_engine<Positions>);

}  // namespace
}  // namespace seriatim::bench
