// The implementation behind `Consumer`. Its functions are called with the consumer entered (see
// SingleThread), except for wakeup, the descriptor, and the metadata of the group.
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

#include "consumer/append_watch.hpp"
#include "consumer/group/current_subscription.hpp"
#include "consumer/group/group_offsets.hpp"
#include "consumer/group/group_subscription.hpp"
#include "consumer/group/single_thread.hpp"
#include "consumer/log_queries.hpp"
#include "consumer/parker.hpp"
#include "consumer/partition_reader.hpp"
#include "consumer/record_pool.hpp"
#include "directory/engine_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

struct ConsumerImpl final : consumer::AssignmentHolder {
  /// Checks the options.
  /// Errors: invalid_argument, closed, invalid_state.
  static Result<Consumer> create(std::shared_ptr<EngineImpl> engine, ConsumerOptions options);

  ConsumerImpl(std::shared_ptr<EngineImpl> engine, ConsumerOptions options);
  ~ConsumerImpl() override;
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

  /// Errors: closed; invalid_state: another thread is inside, or this is a forked child.
  Result<consumer::SingleThread::Entry> enter();

  // consumer_assignment.cpp
  Result<> assign(std::span<const TopicPartition> partitions);
  Result<> replace_assignment(std::span<const TopicPartition> partitions);
  std::vector<TopicPartition> assignment() const;
  Result<> set_paused(std::span<const TopicPartition> partitions, bool is_paused);
  std::vector<TopicPartition> paused() const;
  void close(GroupMembership wanted) noexcept;
  /// The end of `close`, by the thread that is inside last.
  void finish_close(consumer::SingleThread::Finisher finisher) noexcept;
  void release() noexcept;
  Result<Assigned*> find(const TopicPartition& topic_partition) const;

  // consumer_subscription.cpp
  Result<> subscribe(group::Subscription topics, RebalanceListener listener);
  Result<> unsubscribe(GroupMembership wanted);
  std::vector<TopicPartition> held() const override;
  Result<> hold(const std::vector<TopicPartition>& partitions) override;
  Result<> commit_by_itself() override;
  /// The duties of a member, and of a consumer that commits by itself, before it looks for records.
  Result<> attend_group();

  // consumer_poll.cpp
  Result<ConsumerRecords> poll(std::chrono::milliseconds timeout);
  Result<ConsumerRecords> poll_assigned(std::chrono::milliseconds timeout);
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
  Result<std::int64_t> lag(const TopicPartition& topic_partition);
  enum class Committing : std::uint8_t { asked, by_itself };
  TopicPartitionOffsets positions(Committing why) const;
  Result<> commit(const TopicPartitionOffsets& offsets);

  const std::shared_ptr<EngineImpl> engine;
  const ConsumerOptions options;
  const std::shared_ptr<consumer::RecordPool> pool = std::make_shared<consumer::RecordPool>();
  const std::shared_ptr<consumer::Parker> slot = std::make_shared<consumer::Parker>();

  const consumer::LogQueries queries{*engine, options.isolation_level};
  consumer::GroupOffsets offsets{*engine, options, thread};
  consumer::SingleThread thread{[this](auto finisher) { finish_close(finisher); }};
  consumer::AppendWatch watch{slot};

  std::vector<std::unique_ptr<Assigned>> assigned;
  std::size_t first = 0;                         ///< The partition whose turn it is in the next poll.
  std::map<TopicPartition, Offset> early_seeks;  ///< Of partitions that are not assigned yet.

  consumer::CurrentSubscription subscription{options.group_id};
};

using consumer::name_text;

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
