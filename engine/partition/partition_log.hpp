// A partition as a reader sees it, whichever process writes it: its offsets and its segments. The writer's
// `Partition` and the read-only `TailingLog` both are one; the fetch path knows only this.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/snapshot.hpp"
#include "format/index_entry.hpp"
#include "partition/append_listener.hpp"
#include "partition/log_offsets.hpp"
#include "partition/partition_environment.hpp"
#include "partition/producer_state.hpp"
#include "partition/segment_list.hpp"

namespace seriatim::partition {

/// Threads: any number may read. The derived class says who changes it.
class PartitionLog {
 public:
  virtual ~PartitionLog() = default;
  PartitionLog(const PartitionLog&) = delete;
  PartitionLog& operator=(const PartitionLog&) = delete;

  const TopicPartition& name() const noexcept { return name_; }
  const std::string& directory() const noexcept { return directory_; }
  Offset log_start_offset() const noexcept { return offsets_.log_start(); }
  Offset high_watermark() const noexcept { return offsets_.high_watermark(); }
  Offset log_end_offset() const noexcept { return offsets_.log_end(); }
  /// How far a read_committed reader may look.
  Offset last_stable_offset() const noexcept { return offsets_.last_stable(); }
  Offset durable_offset() const noexcept { return offsets_.durable(); }
  /// How far one may look who is also shown only what survives a power cut.
  Offset durable_stable_offset() const noexcept { return offsets_.durable_stable(); }

  /// The segments of now. Load a bound first, then this: it holds every offset below the bound.
  using SegmentsPtr = base::Snapshot<SegmentList>::Ptr;
  const base::Snapshot<SegmentList>& segments() const noexcept { return segments_; }

  /// Adds to `out` the aborted transactions that overlap [from, upper), all of it below the last stable
  /// offset, where everything is decided. Some that do not overlap may be among them, and one may be there
  /// twice. See aborted_transactions.cpp.
  /// @param segment  which `from` lies in: what was read from it is what is asked about.
  /// Errors: not_found (the segment was deleted or replaced: what its transactions were is known no more;
  /// look the offset up again), corrupt_record (damage of the log hides how one ended, and no index proves
  /// it), those of mapping a segment and of the file system.
  virtual Result<> collect_aborted(const segment::SegmentPtr& segment, Offset from, Offset upper,
                                   std::vector<format::AbortedTransaction>& out);

  /// The known facts about every producer that has written here.
  virtual std::map<ProducerId, ProducerInfo> producers() const = 0;

  /// Looks for what another process has written. Nothing to do where this process is the writer.
  /// Errors: as the files say; what was known before stays readable.
  virtual Result<> refresh() { return {}; }
  /// Brings the list of segments up to date, because a file that it names is gone or has changed.
  /// Errors: as `refresh`.
  virtual Result<> reload() = 0;

  /// Whether another process is exchanging segments right now, so that some of what is known can be opened
  /// under no name. Not for long: a writer that died in between is no excuse.
  virtual bool is_changing() const noexcept { return false; }

  /// Whether the topic was deleted; readers end then.
  bool is_deleted() const noexcept { return deleted_.load(std::memory_order_acquire); }
  void mark_deleted() noexcept { deleted_.store(true, std::memory_order_release); }

  /// Whether offsets may be missing between batches: something was compacted here at some time. Otherwise
  /// every batch begins where the one before it ended, and readers insist on it, because the checksum does
  /// not cover the base offset.
  bool may_have_gaps() const noexcept { return may_have_gaps_.load(std::memory_order_acquire); }

  AppendListeners& listeners() const noexcept { return listeners_; }
  PartitionCounters& counters() const noexcept { return environment_.counters; }

 protected:
  PartitionLog(const PartitionEnvironment& environment, TopicPartition name, std::string directory)
      : environment_(environment),
        name_(std::move(name)),
        directory_(std::move(directory)),
        segments_(std::make_shared<const SegmentList>()) {}

  const PartitionEnvironment& environment_;
  TopicPartition name_;
  std::string directory_;
  LogOffsets offsets_;
  base::Snapshot<SegmentList> segments_;
  std::atomic<bool> may_have_gaps_{false};

 private:
  std::atomic<bool> deleted_{false};
  mutable AppendListeners listeners_;
};

using PartitionLogPtr = std::shared_ptr<PartitionLog>;

}  // namespace seriatim::partition
