// The implementation behind `Consumer`. Its functions are called with the consumer entered (see Entry),
// except wakeup and event_fd.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/consumer.hpp>

#include "base/mutex.hpp"
#include "consumer/parker.hpp"
#include "consumer/partition_reader.hpp"
#include "consumer/record_pool.hpp"
#include "directory/engine_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

struct ConsumerImpl {
  /// Checks the options.
  /// Errors: invalid_argument, closed, invalid_state.
  static Result<Consumer> create(std::shared_ptr<EngineImpl> engine, ConsumerOptions options);

  ConsumerImpl(std::shared_ptr<EngineImpl> engine, ConsumerOptions options);
  ~ConsumerImpl();
  ConsumerImpl(const ConsumerImpl&) = delete;
  ConsumerImpl& operator=(const ConsumerImpl&) = delete;

  /// Where a partition goes on.
  enum class Pending : std::uint8_t {
    none,       ///< At its feed's position.
    start,      ///< At the committed offset, else as auto_offset_reset says.
    beginning,  ///< At the log start.
    end,        ///< At the end, as `end_of` says it.
  };
  struct Assigned {
    Assigned(partition::PartitionLogPtr log, const TopicPartition& topic_partition,
             const std::shared_ptr<consumer::RecordPool>& pool)
        : reader(std::move(log), std::make_shared<const TopicPartition>(topic_partition), pool) {}
    const TopicPartition& name() const noexcept { return *reader.name(); }
    consumer::PartitionReader reader;
    Pending pending = Pending::start;
    bool is_paused = false;
    Offset bound = 0;  ///< Of the poll that is running.
  };

  /// Use by one thread. While it lives, every other one is refused.
  class Entry {
   public:
    explicit Entry(std::atomic<bool>* busy) noexcept : busy_(busy) {}
    Entry(Entry&& other) noexcept : busy_(std::exchange(other.busy_, nullptr)) {}
    Entry& operator=(Entry&&) = delete;
    ~Entry() {
      if (busy_ != nullptr) busy_->store(false, std::memory_order_release);
    }

   private:
    std::atomic<bool>* busy_;
  };
  /// Errors: closed; invalid_state: another thread is inside, or this is a forked child.
  Result<Entry> enter();

  // consumer_assignment.cpp
  Result<> assign(std::span<const TopicPartition> partitions);
  Result<> assign_topic(std::string_view topic);
  std::vector<TopicPartition> assignment() const;
  Result<> set_paused(std::span<const TopicPartition> partitions, bool is_paused);
  std::vector<TopicPartition> paused() const;
  int event_fd() noexcept;
  void close() noexcept;
  void release() noexcept;
  Result<Assigned*> find(const TopicPartition& topic_partition) const;

  // consumer_poll.cpp
  Result<ConsumerRecords> poll(std::chrono::milliseconds timeout);
  Result<std::unique_ptr<ConsumerRecordsImpl>> collect();
  Result<std::size_t> take_from(Assigned& assigned, consumer::FetchBudget& budget, ConsumerRecordsImpl& out);
  Result<> prepare();
  void take_bounds();
  bool has_unread() const noexcept;
  bool must_return() const noexcept;
  void wait(std::int64_t deadline_ns);
  void wait_for_append(std::int64_t deadline_ns);
  void wait_for_files(std::int64_t deadline_ns);
  void wait_looking(std::int64_t deadline_ns);
  void announce_rest() noexcept;

  // consumer_positions.cpp
  Result<> resolve(Assigned& assigned);
  Result<> apply_reset(Assigned& assigned, const Error& reason);
  Result<Offset> position(const TopicPartition& topic_partition);
  Result<> seek(const TopicPartition& topic_partition, Offset offset);
  Result<> seek_to(std::span<const TopicPartition> partitions, Pending where);
  Result<> seek_to_time(Timestamp time);

  // consumer_offsets.cpp
  Result<std::map<TopicPartition, std::optional<OffsetAndTimestamp>>> offsets_for_times(
      const std::map<TopicPartition, Timestamp>& times) const;
  Result<Offset> beginning_offset(const TopicPartition& topic_partition) const;
  Result<Offset> end_offset(const TopicPartition& topic_partition) const;
  Result<std::int64_t> lag(const TopicPartition& topic_partition);
  Result<> commit_positions();
  Result<> commit(const TopicPartitionOffsets& offsets);
  Result<std::optional<OffsetAndMetadata>> committed(const TopicPartition& topic_partition) const;
  /// The end of the part of a partition that a reader of this isolation level sees.
  Offset end_of(const partition::PartitionLog& log) const noexcept {
    return options.isolation_level == IsolationLevel::read_committed ? log.last_stable_offset()
                                                                     : log.high_watermark();
  }
  Result<> check_group() const;
  /// A partition of the engine, assigned or not, as of this moment.
  Result<partition::PartitionLogPtr> current_log(const TopicPartition& topic_partition) const;

  const std::shared_ptr<EngineImpl> engine;
  const ConsumerOptions options;
  const std::shared_ptr<consumer::RecordPool> pool = std::make_shared<consumer::RecordPool>();
  const std::shared_ptr<consumer::Parker> slot = std::make_shared<consumer::Parker>();

  std::atomic<bool> busy{false};
  std::atomic<bool> closed{false};

  std::vector<std::unique_ptr<Assigned>> assigned;
  std::size_t first = 0;                         ///< The partition whose turn it is in the next poll.
  std::map<TopicPartition, Offset> early_seeks;  ///< Of partitions that are not assigned yet.

  // Listeners that wake the slot while nobody polls: for event_fd, which may be called from any thread.
  base::Mutex listen_mutex;
  std::vector<partition::PartitionLogPtr> listened SERIATIM_GUARDED_BY(listen_mutex);
  bool listens_always SERIATIM_GUARDED_BY(listen_mutex) = false;
};

/// "orders-0", for messages.
std::string name_text(const TopicPartition& topic_partition);

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
