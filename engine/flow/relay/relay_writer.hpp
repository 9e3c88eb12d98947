// The transactions of a relay: appends to the target, records that it refuses, and the commit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <seriatim/flow/relay.hpp>
#include <seriatim/transaction.hpp>

#include "flow/relay/relay_batch.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

/// Of one batch.
struct RelayCounts {
  std::uint64_t taken = 0;  ///< From the source.
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::uint64_t dropped = 0;
  std::uint64_t skipped = 0;
  std::uint64_t dead_letters = 0;
};

/// Threads: one at a time.
class RelayWriter {
 public:
  /// Fences the relay of this name before it.
  /// Errors: as Engine::transactional_producer; of the topic of dead letters, which is made if need be.
  /// Lifetime: `options` outlives it.
  static Result<RelayWriter> open(const Engine& engine, const RelayOptions& options, const std::string& name);

  /// Begins a transaction; an abort that failed before comes first.
  /// Errors: as Transaction::abort and TransactionalProducer::begin.
  Result<> begin();
  /// Decides on a record that cannot be relayed.
  /// Errors: `failure`, with the record's place, where that is `stop`; of the decision; of the dead letter.
  Result<> settle(const RecordView& record, const Error& failure, RelayCounts& counts);
  /// Appends a part, and empties it.
  /// @param bytes_max  RelayTarget::record_bytes_max.
  /// Errors: as `settle`; as Transaction::append.
  Result<> append(RelayBatch::Part& part, std::size_t bytes_max, RelayCounts& counts);
  /// Commits, with these positions.
  /// Errors: as Transaction::send_offsets and Transaction::commit; see `can_commit_again`.
  Result<> commit(const TopicPartitionOffsets& behind, const ConsumerGroupMetadata& group);
  /// Of a commit that failed: whether it may have taken effect, or still can. Then it is asked again before
  /// anything else, and nothing is given up.
  bool can_commit_again() const noexcept { return is_complete_; }
  /// Errors: as `commit`.
  Result<> commit_again();
  /// Errors: as Transaction::abort; the next `begin` tries again.
  Result<> abort();

 private:
  /// Records `from` .. `to` - 1 of a part.
  struct Slice {
    const RelayBatch::Part& part;
    std::size_t from = 0;
    std::size_t to = 0;
  };

  RelayWriter(TransactionalProducer producer, const RelayOptions& options, std::string group,
              PartitionId letter_partitions)
      : producer_(std::move(producer)),
        options_(&options),
        group_(std::move(group)),
        letter_partitions_(letter_partitions) {}

  /// Appends what the target takes of a slice that it refused as a whole, and settles the rest.
  /// @param refusal  the error of that.
  Result<> append_refused(const Slice& slice, const Error& refusal, std::size_t bytes_max,
                          RelayCounts& counts);
  Result<> bury(const RecordView& record, const Error& failure);

  TransactionalProducer producer_;
  const RelayOptions* options_;
  std::string group_;
  PartitionId letter_partitions_;  ///< Of the topic of dead letters.
  std::optional<Transaction> transaction_{};
  bool is_complete_ = false;  ///< It has its positions; the commit is missing.
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
