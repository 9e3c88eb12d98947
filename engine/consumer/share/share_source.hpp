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

  /// To be called for all sources of a poll before the first is taken from, with the visibility gate looked
  /// through: of a transaction all partitions show the same (INV-8).
  void begin_poll(const ShareStep& step) noexcept;
  /// Acquires and reads what may be delivered: released records first. Deaths of records whose locks ran out
  /// are brought about. The records are the member's, but not in its hand before `hand_out`: where the poll
  /// fails, their locks run out.
  /// @return how many records were taken.
  /// Errors: as PartitionReader::take, SharePartition::change; nothing is taken then.
  Result<std::size_t> take(const ShareStep& step, const SharePoll& poll);
  /// The renewed records again.
  /// Errors: as PartitionReader::take; nothing is taken then.
  Result<std::size_t> take_renewed(const ShareStep& step, const SharePoll& poll);
  /// The poll returns what was taken: its answers are waited for.
  void hand_out(const SharePoll& poll) noexcept;
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
  struct TakenViews {
    std::size_t first = 0;
    std::size_t count = 0;
  };
  struct ReadRuns {
    std::int64_t offsets = 0;              ///< Looked at, from the first on.
    std::vector<group::OffsetRun> gaps{};  ///< The ones without a record.
  };
  enum class Fresh : std::uint8_t { taken, lost };  ///< Lost: another member was faster.
  using Plan = std::function<Result<group::ShareChange>(const group::ShareWindow&)>;

  // share_take.cpp
  Result<bool> take_released(const ShareStep& step, const SharePoll& poll);
  Result<> read_planned(const SharePoll& poll, const group::ShareChange& planned, ReadRuns& read);
  Result<bool> acquire_released(const ShareStep& step, const group::ShareChange& planned,
                                const ReadRuns& read, bool& is_alone);
  Result<Offset> read_run(const SharePoll& poll, const group::OffsetRun& run,
                          std::vector<group::OffsetRun>& gaps);
  Result<> take_fresh(const ShareStep& step, const SharePoll& poll);
  Result<Fresh> try_fresh(const ShareStep& step, const SharePoll& poll);
  Result<std::optional<Offset>> acquire_fresh(const ShareStep& step, const group::FreshRecords& fresh);
  std::size_t finish(const SharePoll& poll, const Taken& before);
  static void undo(const SharePoll& poll, const Taken& before);
  group::AcquireRequest request(const ShareStep& step, std::size_t records) const;

  // share_source.cpp
  Result<> look_after(const ShareStep& step);
  Offset visible_end(const ShareStep& step) const noexcept;
  /// Plans and changes; deaths are brought about.
  Result<> change(const ShareStep& step, const Plan& plan);
  Result<> bury(const ShareStep& step, std::vector<group::DeadRun> dead);

  const Place place_;
  const std::string group_;
  PartitionReader fresh_;
  PartitionReader returned_;
  ShareHand hand_;
  TakenViews taken_{};  ///< By the poll that runs.
  Offset bound_ = 0;    ///< Of that poll.
  IsolationLevel level_ = IsolationLevel::read_committed;
  std::uint64_t newest_lsn_ = 0;
  mutable std::uint64_t random_;  ///< Of the jitter.
};

}  // namespace seriatim::consumer
