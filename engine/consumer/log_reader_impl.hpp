// The implementation behind `LogReader`.
#pragma once

#include <cstddef>
#include <memory>

#include <seriatim/log_reader.hpp>

#include "consumer/record_pool.hpp"
#include "directory/engine_impl.hpp"
#include "partition/partition_log.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

/// Any number of threads.
struct LogReaderImpl {
  /// Errors: unknown_topic_or_partition, closed, invalid_state, and those of opening the partition.
  static Result<LogReader> create(std::shared_ptr<EngineImpl> engine, const TopicPartition& topic_partition,
                                  const LogReaderOptions& options);

  LogReaderImpl(std::shared_ptr<EngineImpl> engine_impl, partition::PartitionLogPtr partition_log,
                const LogReaderOptions& reader_options)
      : engine(std::move(engine_impl)),
        options(reader_options),
        log(std::move(partition_log)),
        name(std::make_shared<const TopicPartition>(log->name())) {}

  /// ok if the engine can be used and the topic is there; looks for what a writer in another process has
  /// done.
  Result<> prepare() const;
  Result<ConsumerRecords> read_forward(Offset from, std::size_t max_records) const;
  Result<ConsumerRecords> read_backward(Offset before, std::size_t max_records) const;

  bool is_committed_only() const noexcept {
    return options.isolation_level == IsolationLevel::read_committed;
  }

  const std::shared_ptr<EngineImpl> engine;
  const LogReaderOptions options;
  const partition::PartitionLogPtr log;
  const std::shared_ptr<const TopicPartition> name;
  const std::shared_ptr<consumer::RecordPool> pool = std::make_shared<consumer::RecordPool>();
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
