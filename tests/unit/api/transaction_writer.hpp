// A transactional producer, as far as a reader can tell: its batches, its markers, and the moment at which
// they are seen.
#pragma once

#include <map>
#include <vector>

#include "format/batch/control_record.hpp"
#include "unit/api/reading_fixture.hpp"

namespace seriatim::test {

using format::ControlType;

/// One thread at a time. Values are as `append_batch` makes them.
class TransactionWriter {
 public:
  TransactionWriter(const Engine& engine, std::string topic, ProducerId number = 0)
      : engine_(engine), topic_(std::move(topic)), id_((ProducerId{1} << 40) + number) {}

  /// @return the offset of the first record.
  Offset send(PartitionId partition = 0, int records = 1) {
    Sequence& sequence = sequences_[partition];
    const auto appended = append_batch(engine_, {topic_, partition},
                                       {.records = records,
                                        .frame = {.producer_id = id_,
                                                  .producer_epoch = epoch_,
                                                  .base_sequence = sequence,
                                                  .transactional = true}});
    sequence += records;
    return appended.base_offset;
  }
  /// The markers are there, and nobody sees it.
  void mark(ControlType type) {
    ++epoch_;
    for (const auto& [partition, sequence] : sequences_) {
      const auto marked = must(log(partition)->append_marker(
          {.type = type, .producer_id = id_, .producer_epoch = epoch_, .timestamp_ms = 1}, 0));
      ended_.emplace_back(log(partition), marked.ended_first_offset);
    }
  }
  /// As a commit does it, once the markers are there.
  void release() {
    auto& gate = ::seriatim::detail::EngineImpl::of(engine_)->visibility_gate;
    {
      const base::MutexLock lock(gate.mutex);
      gate.change([&] {
        for (const auto& [partition, first] : ended_) partition->release_transaction(first);
      });
    }
    for (const auto& [partition, first] : ended_) partition->notify_released();
    ended_.clear();
    sequences_.clear();
  }
  void end(ControlType type) {
    mark(type);
    release();
  }

 private:
  partition::PartitionPtr log(PartitionId partition) {
    return must(::seriatim::detail::EngineImpl::of(engine_)->partition(topic_, partition));
  }

  Engine engine_;
  std::string topic_;
  ProducerId id_;
  ProducerEpoch epoch_ = 0;
  std::map<PartitionId, Sequence> sequences_{};  // of the partitions of the open transaction
  std::vector<std::pair<partition::PartitionPtr, Offset>> ended_{};  // what is to be released
};

}  // namespace seriatim::test
