// The source of a relay: its partitions, and where each of them goes on.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/flow/catch_up.hpp>
#include <seriatim/flow/relay.hpp>

namespace seriatim {
inline namespace v0 {
namespace detail {

/// Threads: one at a time, but for `wake`.
class RelaySource {
 public:
  /// Assigns all partitions, at the positions of the group, else at their log starts. Call it when nobody
  /// else can commit for the group any more.
  /// Errors: unknown_topic_or_partition; as Engine::consumer; invalid_state: the positions are of another
  /// target.
  static Result<RelaySource> open(const Engine& engine, const RelayOptions& options, std::string group);

  /// Assigns partitions that are new.
  /// Errors: unknown_topic_or_partition: it was deleted, and perhaps created again.
  Result<> refresh(const Engine& engine);
  /// Adds the records that come within `timeout` to `batch`; none may.
  /// Errors: as Consumer::poll, a wake-up excepted, and only of the first poll of a batch.
  /// offset_out_of_range names what was deleted.
  Result<> poll(std::chrono::milliseconds timeout, std::vector<ConsumerRecords>& batch);
  /// The positions behind a batch, as its transaction commits them.
  TopicPartitionOffsets behind(const std::vector<ConsumerRecords>& batch) const;
  /// The transaction has committed.
  void advance(const TopicPartitionOffsets& behind);
  /// Goes back to what is committed.
  /// Errors: as Consumer::seek; it can be called again.
  Result<> rewind();

  /// Whether all is committed that was there when the partitions were first assigned. Between batches only.
  /// Errors: as Consumer::position.
  Result<bool> is_caught_up();
  /// Offsets behind the positions, and the sum of the ends. `time` is not set.
  /// Errors: as Consumer::lag.
  Result<LagSample> lag();
  /// Offsets that were deleted before they were read.
  std::uint64_t deleted() const noexcept { return deleted_; }
  std::size_t partition_count() const noexcept { return positions_.size(); }
  ConsumerGroupMetadata group() const { return consumer_.group_metadata(); }
  /// Ends a poll that waits.
  /// Threads: any.
  void wake() noexcept { consumer_.wakeup(); }

 private:
  RelaySource(Consumer consumer, const RelayOptions& options, std::string topic_id)
      : consumer_(std::move(consumer)),
        topic_(options.from),
        target_(options.to),
        topic_id_(std::move(topic_id)),
        skip_deleted_(options.skip_deleted) {}

  /// Of partitions that have no position yet.
  Result<> assign(PartitionId count);
  /// The position of the group, else the log start.
  Result<Offset> start_of(const TopicPartition& at) const;
  /// Steps over what was deleted, if that is allowed.
  Result<> pass_deleted(const Error& failure);

  Consumer consumer_;
  std::string topic_;
  std::string target_;
  std::string topic_id_;
  bool skip_deleted_;
  std::uint64_t deleted_ = 0;
  std::map<TopicPartition, Offset> positions_{};  ///< Committed, or where to begin.
  std::map<TopicPartition, Offset> goals_{};      ///< The ends to be reached, less those that were.
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
