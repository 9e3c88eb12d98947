// A partition that a share consumer takes from: finds out what may be delivered, acquires it, and reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/share_group.hpp>
#include <seriatim/types.hpp>

#include "consumer/partition_reader.hpp"
#include "consumer/record_pool.hpp"
#include "consumer/share/share_hand.hpp"
#include "group/share/letter_writer.hpp"
#include "group/share/share_partition.hpp"

namespace seriatim::consumer {

/// The rules and the moment of a step of a share consumer.
struct ShareStep {
  group::ShareMemberId member = 0;
  const ShareGroupConfig& config;
  std::int64_t now_ms = 0;  ///< Monotonic.
  bool splits_batches = false;
  group::LetterWriter& letters;
};

/// The records of one poll, from all partitions.
struct SharePoll {
  detail::ConsumerRecordsImpl& out;
  std::vector<std::int16_t>& delivery_counts;  ///< One for each view.
  FetchBudget& budget;
};

/// One thread at a time.
class ShareSource {
 public:
  struct Place {
    std::shared_ptr<const TopicPartition> name{};
    partition::PartitionLogPtr log{};
    group::SharePartitionPtr partition{};
    int priority = 0;
  };
  ShareSource(Place place, std::string group, const std::shared_ptr<RecordPool>& pool);

  const TopicPartition& name() const noexcept { return *place_.name; }
  const partition::PartitionLog& log() const noexcept { return *place_.log; }
  partition::PartitionLog& log() noexcept { return *place_.log; }
  group::SharePartition& partition() noexcept { return *place_.partition; }
  int priority() const noexcept { return place_.priority; }
  ShareHand& hand() noexcept { return hand_; }

  /// Delivers what may be: released records first. Deaths of records whose locks ran out are brought about.
  /// @return how many records were delivered.
  /// Errors: as PartitionReader::take, SharePartition::change; none of the records is delivered then.
  Result<std::size_t> take(const ShareStep& step, const SharePoll& poll);
  /// The renewed records again.
  /// Errors: as PartitionReader::take.
  Result<std::size_t> take_renewed(const ShareStep& step, const SharePoll& poll);
  /// Whether a take would find something to look at.
  bool has_news(const ShareStep& step) const;
  /// When that will next be so without an append; nothing: only others can bring it about.
  std::optional<std::int64_t> next_due_ms(std::int64_t now_ms) const;

  /// Stores the answers that are in hand, and lets the dead be written.
  /// Errors: invalid_record_state: they are refused, and left the hand; those of the letters: the answers are
  /// stored but for the deaths, which come again. Else as SharePartition::change: they stay in hand.
  Result<> commit(const ShareStep& step);
  /// Lets go of everything that the member holds.
  /// Errors: as SharePartition::change.
  Result<> leave(const ShareStep& step);
  /// Of the newest frame of this source; 0: none.
  std::uint64_t newest_lsn() const noexcept { return newest_lsn_; }

 private:
  struct Taken {
    std::size_t first_view = 0;
    std::size_t first_range = 0;
  };
  using Plan = std::function<Result<group::ShareChange>(const group::ShareWindow&)>;

  Result<> look_after(const ShareStep& step);
  /// @return whether nothing else of the partition may come in this poll.
  Result<bool> take_released(const ShareStep& step, const SharePoll& poll);
  Result<> read_released(const ShareStep& step, const SharePoll& poll, const group::ShareChange& acquired);
  Result<> take_fresh(const ShareStep& step, const SharePoll& poll);
  enum class Fresh : std::uint8_t { taken, lost };  ///< Lost: another member was faster.
  Result<Fresh> try_fresh(const ShareStep& step, const SharePoll& poll);
  /// The records of a run, behind those that are there.
  /// @param gaps  gets its offsets without a record.
  Result<> read_run(const SharePoll& poll, const group::OffsetRun& run, std::vector<group::OffsetRun>& gaps);
  /// Makes one range of all that was taken.
  std::size_t finish(const SharePoll& poll, const Taken& before);
  static void undo(const SharePoll& poll, const Taken& before);
  /// Plans and changes; deaths are brought about.
  Result<> change(const ShareStep& step, const Plan& plan);
  Result<> bury(const ShareStep& step, std::vector<group::DeadRun> dead);
  group::AcquireRequest request(const ShareStep& step, std::size_t records) const;
  group::ReturnRules rules(const ShareStep& step) const;

  const Place place_;
  const std::string group_;
  PartitionReader fresh_;
  PartitionReader returned_;
  ShareHand hand_;
  std::uint64_t newest_lsn_ = 0;
  mutable std::uint64_t random_;  ///< Of the jitter.
};

}  // namespace seriatim::consumer
