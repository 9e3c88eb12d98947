/// @file
/// `Consumer`: reads records, remembers positions by group name.
#pragma once

#include <seriatim/language.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/assignor.hpp>
#include <seriatim/export.hpp>
#include <seriatim/record.hpp>
#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// Where to start without a committed offset, or when the position has been deleted.
enum class AutoOffsetReset : std::uint8_t {
  earliest,     ///< The log start. The default: nothing is skipped silently (Kafka's default is latest).
  latest,       ///< The end, as `Consumer::end_offset` says it.
  none,         ///< An error: no_offset_for_partition or offset_out_of_range.
  by_duration,  ///< The first record not older than `ConsumerOptions::auto_offset_reset_duration`.
};

/// How `poll` waits for records.
enum class WaitStrategy : std::uint8_t {
  block,  ///< Sleeps in the kernel: no CPU, tens of microseconds to wake (docs/performance.md).
  yield,  ///< Gives the CPU away between looks.
  spin,   ///< Looks without pause: shortest latency, one core.
};

/// Which records a consumer is shown.
enum class Visibility : std::uint8_t {
  published,  ///< As soon as they are in the log: after a power cut some of them may never have been.
  /// Once they, and the commit of their transaction, are on stable storage (see
  /// PartitionDescription::durable_offset).
  durable,
};

/// Options of a consumer. Names are Kafka's.
struct ConsumerOptions {
  /// Name under which positions are committed. Empty: commits are refused.
  std::string group_id{};
  AutoOffsetReset auto_offset_reset = AutoOffsetReset::earliest;
  /// Of AutoOffsetReset::by_duration: how far back, 0 ms or more.
  std::chrono::milliseconds auto_offset_reset_duration{0};
  /// Records of one poll at the most, 1 .. 1'000'000.
  std::size_t max_poll_records = 500;
  /// Stored bytes of one poll, 1 byte .. 1 GiB: a soft limit, the first batch always comes.
  std::size_t max_poll_bytes = 16 * 1024 * 1024;
  /// Under read_committed, records of a transaction appear in all assigned partitions at once, at the commit.
  /// An open one holds back what is behind it, whoever wrote that, and of a transaction that is held back in
  /// one partition the records in all others. They appear partition by partition to another process, a
  /// read-only engine; and, of a commit at `leader`, where `visibility` is `durable`: as each is synced.
  IsolationLevel isolation_level = IsolationLevel::read_committed;
  /// A read-only engine knows of what is durable what the writer's last checkpoint says
  /// (EngineOptions::checkpoint_interval), and looks for that once a second: `durable` shows records that
  /// much later there than in the process that writes, and all of them after a clean close.
  Visibility visibility = Visibility::published;
  /// The fault that a commit survives once it has returned: `all`, power loss; `leader`, the death of the
  /// process, without waiting for the disk. `none` is refused: a commit that may be lost at once is none.
  Acks commit_acks = Acks::all;
  WaitStrategy wait_strategy = WaitStrategy::block;
  /// Check the CRC-32C of every batch. Off saves about a third of the CPU of a hot replay.
  bool check_crcs = true;

  // Of consumers that subscribe.

  /// The way in which partitions are divided among the members of the group. Where members differ, the choice
  /// of most of them counts.
  Assignor assignor = Assignor::uniform;
  /// A function of the application's own instead. Runs in the poll of a member, without a lock; an
  /// assignment that cannot be is an error of that poll, and the one before stays.
  AssignFunction own_assignor{};
  /// A name by which a member is known when it comes back: one that closes with it keeps its partitions until
  /// `session_timeout` is over. Empty: a dynamic member.
  std::string group_instance_id{};
  /// How long a static member may be away, 1 ms or more. The default is Kafka's.
  std::chrono::milliseconds session_timeout{45'000};
  /// A member that does not poll for so long loses its partitions to the others, 1 ms or more; looked at ten
  /// times a second. The default is Kafka's.
  std::chrono::milliseconds max_poll_interval{300'000};
  /// Commits the records of earlier polls by itself: in a poll, if the interval is over, before partitions
  /// are revoked, and in `close`. Never those of the poll that returns.
  bool auto_commit = false;
  /// 0 ms (in each poll) or more. The default is Kafka's.
  std::chrono::milliseconds auto_commit_interval{5'000};
};

/// Told of changes to the assignment of a member, in its own thread: within `poll`, `unsubscribe` and
/// `close`. Inside, the consumer may be asked and may commit; polling, subscribing and assigning are
/// refused with invalid_state there. An exception becomes the error of the call that it runs in, behind the
/// change, which stands. Each may be empty.
struct RebalanceListener {
  using Function = std::function<void(const std::vector<TopicPartition>& partitions)>;
  /// These were added; none, where a change was only a loss. Behind each change.
  Function on_assigned{};
  /// These are about to go to others. They are still this member's: commit what was processed.
  Function on_revoked{};
  /// These have gone already: the member was removed, or did not poll in time. Nothing of them can be
  /// committed.
  Function on_lost{};
};

/// Gets the positions that a `Consumer::commit_async` was to store, and whether they are. Runs in the
/// consumer's thread, within a later `poll`, `commit_sync` or `close`, in the order of the calls. Inside, the
/// consumer may be asked and may commit; polling, subscribing and assigning are refused with invalid_state.
/// An exception becomes the error of the call that it runs in, and of `close` goes to the log sink.
using OffsetCommitCallback =
    std::function<void(const TopicPartitionOffsets& offsets, const Result<>& outcome)>;

/// A condition on topic names: an ECMAScript regular expression (`std::regex`) that the whole name has to
/// match. Topics that are created later are found too.
struct TopicPattern {
  std::string expression{};
};

/// The fate of a member whose consumer is closed.
enum class GroupMembership : std::uint8_t {
  automatic,  ///< A dynamic member leaves, a static one remains. The default.
  leave,      ///< Its partitions go to others at once.
  remain,     ///< It keeps its partitions for `session_timeout`, if it is a static one; a dynamic one leaves.
};

namespace detail {
struct ConsumerImpl;
}

/// Reads partitions from a position on: those that it was assigned, or, of a group that shares topics, those
/// that fall to it. Made by `Engine::consumer`; works in read-only engines too, beside a live writer, but for
/// groups.
///
/// Members of a group (`subscribe`) share partitions with each other, in this process: each partition has one
/// owner, and each member comes to its part at its own polls. The destructor leaves the group; unlike
/// `close`, it calls no listener and commits nothing.
///
/// Threads: one at a time, except `wakeup` and `event_fd`; a second thread gets invalid_state.
class SERIATIM_API Consumer {
 public:
  Consumer(Consumer&&) noexcept;
  Consumer& operator=(Consumer&&) noexcept;
  ~Consumer();

  /// Replaces the assignment. Positions of partitions that stay are kept; others start at the committed
  /// offset of the group, else where `auto_offset_reset` says, when they are first polled.
  /// Errors: unknown_topic_or_partition (the assignment is unchanged).
  /// Threads: see class.
  Result<> assign(std::span<const TopicPartition> partitions);
  Result<> assign(std::initializer_list<TopicPartition> partitions) {
    return assign(std::span<const TopicPartition>(partitions.begin(), partitions.size()));
  }
  /// Assigns all partitions of a topic.
  /// Errors: unknown_topic_or_partition.
  /// Threads: see class.
  Result<> assign_topic(std::string_view topic);
  std::vector<TopicPartition> assignment() const;

  /// Makes it a member of its group, which shares the partitions of these topics among its members; a topic
  /// that does not exist is waited for. Replaces an earlier subscription. The partitions come with the polls
  /// that follow.
  /// Errors: invalid_state (no group_id; partitions are assigned; inside a listener), invalid_argument (no
  /// topics, a pattern that is none), read_only; nothing has changed then. unreleased_instance_id, and those
  /// of `unsubscribe`: the earlier subscription has ended.
  /// Threads: see class.
  Result<> subscribe(std::span<const std::string> topics, RebalanceListener listener = {});
  Result<> subscribe(std::initializer_list<std::string_view> topics, RebalanceListener listener = {});
  Result<> subscribe(const TopicPattern& pattern, RebalanceListener listener = {});
  /// Leaves the group, as a static member too, or gives the assigned partitions up. Commits as `close` does.
  /// Errors: those of an automatic commit, or of the listener; it has left all the same. invalid_state inside
  /// a listener.
  /// Threads: see class.
  Result<> unsubscribe();

  /// Returns the next records of the assigned partitions, waiting up to `timeout` for the first; empty if
  /// none came. Partitions take turns for fairness; within one, records come in offset order without a gap in
  /// what is stored.
  ///
  /// Errors (the positions are as before, so that the call can be repeated):
  ///   - wakeup: `wakeup` was called.
  ///   - no_offset_for_partition, offset_out_of_range: under AutoOffsetReset::none. The message has the valid
  ///     range.
  ///   - corrupt_record: the batch at the position fails its checks; the message has file, position and the
  ///     offset to seek to in order to go on behind it. Records before it were returned by earlier polls.
  ///   - unknown_topic_or_partition: an assigned topic was deleted.
  ///   - invalid_state: nothing is assigned or subscribed to. closed: this consumer or its engine was, also
  ///     while it waited.
  /// Of a member, the change of its assignment comes first, with its listener; then also
  ///   - invalid_argument: `own_assignor` gave what cannot be. io_error, ...: a listener threw. As
  ///     `commit_sync`: an automatic commit failed.
  /// Lifetime: see ConsumerRecords.
  /// Cost: no copy of uncompressed data, no lock, no allocation after warm-up; compressed batches are
  /// decompressed once.
  /// Threads: see class.
  Result<ConsumerRecords> poll(std::chrono::milliseconds timeout);

  /// The offset of the next record that poll returns. Resolves a pending reset.
  /// Errors: invalid_state (not assigned); as `poll` for a reset.
  /// Threads: see class.
  Result<Offset> position(const TopicPartition& topic_partition);
  /// Sets the position. Legal before assign: it is remembered and applied. An offset outside the log is
  /// answered by the next poll, as `auto_offset_reset` says.
  /// Errors: invalid_argument (negative), invalid_state (of a consumer that subscribes: not assigned).
  /// Threads: see class.
  Result<> seek(const TopicPartition& topic_partition, Offset offset);
  /// Moves to the log start / the end, of the given partitions or (empty) of all assigned ones.
  /// Errors: invalid_state (not assigned).
  /// Threads: see class.
  Result<> seek_to_beginning(std::span<const TopicPartition> partitions = {});
  Result<> seek_to_end(std::span<const TopicPartition> partitions = {});
  /// Moves all assigned partitions to their first record with a timestamp at or after `time`, or to the end.
  /// Errors: as offsets_for_times.
  /// Threads: see class.
  Result<> seek_to_time(Timestamp time);

  /// Finds, per partition, the earliest offset below `end_offset` whose timestamp is at or after the given
  /// time, also if it is that of an aborted record or of a marker, as Kafka does; nullopt if there is none.
  /// Errors: unknown_topic_or_partition, invalid_argument (negative time), corrupt_record.
  /// Threads: see class.
  Result<std::map<TopicPartition, std::optional<OffsetAndTimestamp>>> offsets_for_times(
      const std::map<TopicPartition, Timestamp>& times) const;
  /// First offset still readable.
  /// Errors: unknown_topic_or_partition.
  /// Threads: see class.
  Result<Offset> beginning_offset(const TopicPartition& topic_partition) const;
  /// One past the last readable offset: the last stable offset under read_committed (the first record of the
  /// oldest open transaction, if there is one), else the high watermark.
  /// Errors: unknown_topic_or_partition.
  /// Threads: see class.
  Result<Offset> end_offset(const TopicPartition& topic_partition) const;
  /// Offsets between the position and `end_offset`; those of markers, of aborted records and of what
  /// compaction removed count, until a poll has passed them.
  /// Errors: as `position`.
  /// Threads: see class.
  Result<std::int64_t> lag(const TopicPartition& topic_partition);

  /// Stops or goes on returning records of these partitions; their positions stay, in the middle of a batch
  /// too.
  /// Errors: invalid_state (not assigned).
  /// Threads: see class.
  Result<> pause(std::span<const TopicPartition> partitions);
  Result<> resume(std::span<const TopicPartition> partitions);
  std::vector<TopicPartition> paused() const;

  /// Stores positions under `group_id`, so that a consumer of that name resumes there. Without an argument:
  /// the current positions; with records: just behind them.
  /// Errors: invalid_state (no group_id; a read-only engine gives read_only), invalid_argument (negative, or
  /// beyond the log end), unknown_topic_or_partition, offset_metadata_too_large, storage_full,
  /// unknown_member_id (it was removed from its group, the partition is not its own any more, or the group
  /// has members and this consumer is none of them): nothing is stored then.
  /// Durability: as ConsumerOptions::commit_acks says, on return. At `all` a sync of the journal has stored
  /// the positions, which concurrent commits share; at `leader` they survive the death of the process.
  /// Threads: see class.
  Result<> commit_sync();
  Result<> commit_sync(const TopicPartitionOffsets& offsets);
  Result<> commit_sync(const ConsumerRecords& records) { return commit_sync(records.next_offsets()); }
  /// The same without a wait for the disk: the commit has its place in the order of commits on return, and
  /// `committed` knows it. `callback` gets the outcome; the failure of a commit without one goes to the log
  /// sink. `commit_sync` and `close` wait for all earlier ones, and run their callbacks before they return;
  /// the destructor runs none.
  /// Errors: as `commit_sync`, but for those that the disk gives later: nothing is stored, and the callback
  /// is not called. closed, queue_full (see Cost): inside a callback only. Where a callback has thrown that
  /// this call ran, its exception: nothing is stored.
  /// Durability: as ConsumerOptions::commit_acks says when the callback gets ok. Commits of one engine become
  /// safe in their order: one that is, is with all before it.
  /// Threads: see class. The engine's delivery thread syncs.
  /// Cost: a frame in memory; at `leader` a write to the journal. 1'000 at the most wait for their callbacks:
  /// with so many, a call waits for the oldest, and runs its callback; inside a callback it is refused.
  Result<> commit_async(OffsetCommitCallback callback = {});
  Result<> commit_async(const TopicPartitionOffsets& offsets, OffsetCommitCallback callback = {});
  Result<> commit_async(const ConsumerRecords& records, OffsetCommitCallback callback = {}) {
    return commit_async(records.next_offsets(), std::move(callback));
  }
  /// The group and member that commit, for Transaction::send_offsets.
  /// Threads: any.
  ConsumerGroupMetadata group_metadata() const;
  /// The position that the group has committed; nullopt if none.
  /// Errors: invalid_state (no group_id), corrupt_metadata.
  /// Threads: see class.
  Result<std::optional<OffsetAndMetadata>> committed(const TopicPartition& topic_partition) const;

  /// Makes the running or the next poll return `wakeup` at once.
  /// Threads: any.
  void wakeup() noexcept;
  /// A descriptor that becomes readable when an assigned partition may have new records; poll makes it
  /// unreadable again. Owned by the consumer. -1 in a read-only engine, which cannot be told (poll there
  /// looks at the files), or if no descriptor could be had.
  /// Threads: any.
  int event_fd() noexcept;

  /// Ends it; what poll returned stays valid. A member commits if `auto_commit` says so, its listener is told
  /// that all its partitions are revoked, and it leaves its group. An error of the commit or the listener
  /// goes to the log sink. Idempotent. Inside a listener it takes effect when the listener has returned.
  void close(GroupMembership membership = GroupMembership::automatic) noexcept;

 private:
  friend struct detail::ConsumerImpl;
  explicit Consumer(std::unique_ptr<detail::ConsumerImpl> impl) noexcept;
  std::unique_ptr<detail::ConsumerImpl> impl_;
};

}  // namespace v0
}  // namespace seriatim
