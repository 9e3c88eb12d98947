/// @file
/// `ShareConsumer`: takes records from a durable work queue, one by one if need be, beside any number of
/// others.
#pragma once

#include <seriatim/language.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/export.hpp>
#include <seriatim/record.hpp>
#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// The answer for a record that was delivered. Kafka's names and numbers.
enum class AcknowledgeType : std::uint8_t {
  accept = 1,   ///< Processed: it is never delivered again.
  release = 2,  ///< Not processed: it is delivered again, behind the back-off of the group, until it was
                ///< delivered as often as the group allows; then it dies.
  reject = 3,   ///< It cannot be processed: it dies now. A dead record goes to the group's dead letter topic,
                ///< if it has one.
  renew = 4,    ///< Still being processed: its lock begins anew.
};

/// Whether the records of a poll are answered one by one.
enum class ShareAcknowledgementMode : std::uint8_t {
  implicit,   ///< The next poll, `commit_sync`, `unsubscribe` and `close` accept those of the last poll.
  explicit_,  ///< `acknowledge` answers for each. Text form "explicit".
};

/// How many records a poll may acquire.
enum class ShareAcquireMode : std::uint8_t {
  batch_optimized,  ///< Stored batches are not split: a poll may return more than `max_poll_records`.
  record_limit,     ///< Never more than `max_poll_records`.
};

/// Told of acknowledgements of one partition, in offset order, that were stored, or could not be. Runs within
/// `poll`, `commit_sync`, `unsubscribe` or `close` of its consumer, which it must not call.
using AcknowledgementCallback =
    std::function<void(const TopicPartition&, std::span<const Offset> offsets, const Result<>& outcome)>;

/// Options of a share consumer. Names are Kafka's. Everything that the members of a group have to agree on is
/// an option of the group: see ShareGroupConfig.
struct ShareConsumerOptions {
  /// The share group. Not empty; no consumer group has this name.
  std::string group_id{};
  ShareAcknowledgementMode acknowledgement_mode = ShareAcknowledgementMode::implicit;
  ShareAcquireMode acquire_mode = ShareAcquireMode::batch_optimized;
  /// Records of one poll, 1 .. 1'000'000; see `acquire_mode`.
  std::size_t max_poll_records = 500;
  /// Stored bytes of one poll, 1 byte .. 1 GiB: a soft limit, the first batch always comes.
  std::size_t max_poll_bytes = 16 * 1024 * 1024;
  /// The fault that acknowledgements survive once `commit_sync` or `close` has returned: `all`, power loss;
  /// `leader`, the death of the process, without waiting for the disk. `none` is refused.
  Acks commit_acks = Acks::all;
  /// Topics of a higher number come first: nothing is taken from others while one of them has something. 0:
  /// every topic that is not named.
  std::map<std::string, int> topic_priority{};
  /// Check the CRC-32C of every batch.
  bool check_crcs = true;
};

/// A record, and how often it was delivered. Valid as RecordView is.
class ShareRecord : public RecordView {
 public:
  ShareRecord() noexcept = default;
  ShareRecord(const RecordView& record, std::int16_t delivery_count) noexcept
      : RecordView(record), delivery_count_(delivery_count) {}
  /// Deliveries, this one included: 1 at the first.
  std::int16_t delivery_count() const noexcept { return delivery_count_; }

 private:
  std::int16_t delivery_count_ = 0;
};

/// The result of a poll: records in place, and the pins that keep their bytes alive. As ConsumerRecords.
/// Within a partition in offset order, those that were delivered before first.
/// Lifetime: may outlive its ShareConsumer and its Engine. Views live as long as it.
/// Threads: as a standard container.
class ShareRecords {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = ShareRecord;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = ShareRecord;
    Iterator() noexcept = default;
    Iterator(const ShareRecords* of, std::size_t index) noexcept : of_(of), index_(index) {}
    ShareRecord operator*() const noexcept { return (*of_)[index_]; }
    Iterator& operator++() noexcept {
      ++index_;
      return *this;
    }
    Iterator operator++(int) noexcept {
      const Iterator before = *this;
      ++index_;
      return before;
    }
    bool operator==(const Iterator&) const noexcept = default;

   private:
    const ShareRecords* of_ = nullptr;
    std::size_t index_ = 0;
  };

  ShareRecords() noexcept = default;
  /// @param delivery_counts  as many as records.
  ShareRecords(ConsumerRecords records, std::vector<std::int16_t> delivery_counts) noexcept
      : records_(std::move(records)), delivery_counts_(std::move(delivery_counts)) {}

  Iterator begin() const& noexcept { return {this, 0}; }
  Iterator end() const& noexcept { return {this, count()}; }
  /// Iterating over a temporary would leave every view dangling.
  Iterator begin() && = delete;
  Iterator end() && = delete;
  std::size_t count() const noexcept { return records_.count(); }
  bool empty() const noexcept { return records_.empty(); }
  ShareRecord operator[](std::size_t index) const& noexcept {
    return {records_[index], delivery_counts_[index]};
  }
  ShareRecord operator[](std::size_t index) && = delete;
  /// The same records without their counts.
  const ConsumerRecords& records() const& noexcept { return records_; }
  const ConsumerRecords& records() && = delete;

 private:
  ConsumerRecords records_{};
  std::vector<std::int16_t> delivery_counts_{};
};

namespace detail {
struct ShareConsumerImpl;
}

/// A member of a share group: the local durable work queue. Every record goes to one member at a time, which
/// answers for it; members share partitions, so that there may be more of them than partitions, and none
/// waits for another. Made by `Engine::share_consumer`.
///
/// A record that was delivered is locked for the member, for as long as the group says. Until its lock runs
/// out nobody else gets it. The order of a partition holds within one poll only.
///
/// The destructor lets go of what is not answered for, as a member that dies does: it comes to another at
/// once.
///
/// Threads: one at a time, except `wakeup`; a second thread gets invalid_state. Any number of consumers.
/// Durability: deliveries, and with them the counts, survive the death of the process; acknowledgements as
/// `commit_acks` says. A power cut may take deliveries that nothing was committed behind. Locks end with the
/// process.
class SERIATIM_API ShareConsumer {
 public:
  ShareConsumer(ShareConsumer&&) noexcept;
  ShareConsumer& operator=(ShareConsumer&&) noexcept;
  ~ShareConsumer();

  /// Takes from all partitions of these topics, from now on; a topic that does not exist is waited for.
  /// Replaces an earlier subscription; what was delivered of topics that are not in the new one is let go of.
  /// Errors: invalid_argument (no topics), invalid_topic. As `commit_sync`, behind the change.
  /// Threads: see class.
  Result<> subscribe(std::span<const std::string> topics);
  Result<> subscribe(std::initializer_list<std::string_view> topics);
  /// Commits as `close` does, and lets go of what is not answered for.
  /// Errors: as `commit_sync`; the subscription has ended all the same.
  /// Threads: see class.
  Result<> unsubscribe();
  /// Sorted.
  std::vector<std::string> subscription() const;

  /// Stores the acknowledgements so far (implicit mode: accepts the records of the last poll), so that they
  /// survive the death of the process, and returns the records that come next, waiting up to `timeout` for
  /// the first; empty if none came. Records that were renewed come again, alone.
  ///
  /// Acknowledgements that are refused, because a lock ran out, are told to the callback; their records come
  /// again.
  /// Errors: invalid_state: nothing is subscribed to; in explicit mode a record of the last poll is not
  /// answered for (acknowledge it, and poll again). wakeup, closed, corrupt_record, unknown codecs: as
  /// Consumer::poll; a batch that cannot be read, and a dead letter that cannot be written, holds its
  /// partition up; the others go on, and the log sink is told. As commit_sync, where the journal fails:
  /// records that were acquired then wait for their locks to run out.
  /// Threads: see class.
  Result<ShareRecords> poll(std::chrono::milliseconds timeout);

  /// Answers for a record of the last poll. The last answer before the commit counts.
  /// Errors: invalid_state: implicit mode; it was not delivered by the last poll, or is committed already.
  /// invalid_record_state: `renew`, where the group does not allow it.
  /// Threads: see class.
  Result<> acknowledge(const RecordView& record, AcknowledgeType type = AcknowledgeType::accept);
  Result<> acknowledge(const TopicPartition& topic_partition, Offset offset, AcknowledgeType type);
  /// Stores the acknowledgements so far; in implicit mode it accepts the records of the last poll first. A
  /// record that dies is stored together with its dead letter, or not at all.
  /// Errors: invalid_record_state: the lock of a record ran out, or somebody has changed the group's offsets:
  /// none of its partition is stored, those of other partitions are; the records come again. As the commit
  /// of a transaction: a dead letter could not be written; the other answers are stored, and the death is
  /// tried again by members that poll (a restart delivers the record again). storage_full, storage_failed:
  /// the answers are as before; commit again.
  /// Durability: as ShareConsumerOptions::commit_acks says, on return.
  /// Threads: see class.
  Result<> commit_sync();
  /// As `commit_sync` at Acks::leader. The outcome goes to the callback.
  /// Errors: closed.
  Result<> commit_async();
  /// Replaces the callback. Without one, refused acknowledgements of a poll go to the log sink.
  /// Threads: see class.
  void set_acknowledgement_callback(AcknowledgementCallback callback);
  /// How long a lock lasts that is taken or renewed now, as the group says.
  std::chrono::milliseconds acquisition_lock_timeout() const;

  /// Makes the running or the next poll return `wakeup` at once.
  /// Threads: any.
  void wakeup() noexcept;

  /// Commits what is answered for (implicit mode: accepts the records of the last poll), lets go of the rest,
  /// and leaves. Records that were polled stay valid. Idempotent.
  /// Errors: as commit_sync; it is closed all the same.
  Result<> close();

 private:
  friend struct detail::ShareConsumerImpl;
  explicit ShareConsumer(std::unique_ptr<detail::ShareConsumerImpl> impl) noexcept;
  std::unique_ptr<detail::ShareConsumerImpl> impl_;
};

}  // namespace v0
}  // namespace seriatim
