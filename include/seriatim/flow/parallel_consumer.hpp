/// @file
/// `ParallelConsumer`: many handlers at once over the partitions of one group member, in order by key.
#pragma once

#include <seriatim/language.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <seriatim/consumer.hpp>
#include <seriatim/engine.hpp>
#include <seriatim/export.hpp>
#include <seriatim/flow/processor.hpp>
#include <seriatim/record.hpp>
#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// Which records are handled one after the other, in the order of their offsets. All others may be handled
/// at the same time, and in any order.
enum class ParallelOrder : std::uint8_t {
  per_key,        ///< Records of one key in one partition. Records without a key have no order.
  per_partition,  ///< Records of one partition.
  none,           ///< Each record is on its own.
};

/// How long a record that failed waits for its next try. It waits alone, with the records behind it in its
/// order: threads go on with others meanwhile.
struct ParallelBackoff {
  /// Before the second try, 0 ms or more.
  std::chrono::milliseconds initial{100};
  /// From each wait to the next, 1 .. 1'000. 1: fixed; above: exponential.
  double multiplier = 2.0;
  /// No wait is longer than this, 0 ms or more.
  std::chrono::milliseconds max{30'000};
  /// The part of a wait that chance may take away, 0 .. 1, so that records that failed together do not come
  /// again together. 0: none.
  double jitter = 0.2;
};

/// A failure that asks for a decision.
struct ParallelFailure {
  /// Of the handler, with its record in the message; or of a poll or a commit.
  Error error;
  /// The record that the handler failed at, valid during the call; null where it was none of one record.
  const RecordView* record = nullptr;
  /// How often this record, or polls and commits, failed in a row: 1 or more.
  std::uint32_t attempts = 1;
};

/// Handles one record. An error, or an exception, is a failure (`ParallelConsumerOptions::on_failure`). The
/// record is valid while it runs.
/// Threads: those of the workers, as many at once.
using ParallelHandler = std::function<Result<>(const RecordView& record)>;

/// Decides on a failure. An exception stops the consumer, with its error.
/// Threads: as ParallelHandler, and the one that polls.
using ParallelDecision = std::function<OnFailure(const ParallelFailure& failure)>;

struct ParallelConsumerOptions {
  std::string group_id{};
  /// At least one, or a pattern.
  std::vector<std::string> topics{};
  ParallelOrder order = ParallelOrder::per_key;
  /// Threads that handle records, 1 .. 1'000. One more polls and commits.
  std::size_t workers = 4;
  /// The fault that commits survive: `all` or `leader`.
  Acks acks = Acks::all;
  /// Is asked after a failure, unless it is fatal() and none of a record: that ends the consumer. Empty:
  /// retries what is retriable(), for ever, and stops at anything else.
  ParallelDecision on_failure{};
  /// Between a failure and its retry.
  ParallelBackoff backoff{};
  /// No poll begins while as many records, 1 .. 10'000'000, or as many bytes of keys and values, 1 byte or
  /// more, have been polled and neither handled nor dropped. One poll may go beyond
  /// (`ConsumerOptions::max_poll_records`, `max_poll_bytes`).
  std::size_t max_in_flight_records = 10'000;
  std::size_t max_in_flight_bytes = 64 * 1024 * 1024;
  /// A commit comes when something was finished and the interval, 0 ms or more, is over, or when as many
  /// records, 1 or more, have been finished since the last one; and before partitions go, and at the end.
  std::chrono::milliseconds commit_interval{1'000};
  std::size_t commit_records = 100'000;
  /// How long `stop` waits for handlers, 0 ms or more; see `wait`.
  std::chrono::milliseconds stop_timeout{30'000};
  /// How long a partition that goes to another member waits for the handlers that have a record of it, 0 ms
  /// or more. The others wait for it. A handler that takes longer may run while another member handles the
  /// same record.
  std::chrono::milliseconds revoke_timeout{5'000};
  /// Instead of `topics`.
  TopicPattern pattern{};
  /// Of the group member. group_id, commit_acks and auto_commit are the parallel consumer's own: leave them
  /// as they are.
  ConsumerOptions consumer{};
  /// On the thread that polls. It need not commit.
  RebalanceListener listener{};
};

/// The records between poll and commit.
struct ParallelStatus {
  std::size_t in_flight_records = 0;  ///< Polled, and neither handled nor dropped.
  std::size_t in_flight_bytes = 0;    ///< Of their keys and values.
  std::size_t waiting_keys = 0;       ///< Keys (or partitions, or records) that wait for a retry.
  std::uint64_t handled_records = 0;  ///< Since `open`, with those that were skipped.
  std::uint64_t repeats_spared = 0;   ///< Records that were polled, but finished by the one before.
};

namespace detail {
class ParallelConsumerImpl;
}

/// One member of a group whose records many threads handle, in the order that was asked for.
///
/// Each record is handled at least once. The committed position stands before the first record that is not
/// finished; the records behind it that are finished are kept with it, as ranges in its metadata, so that
/// the next member handles none of them again. From 500 ranges on the partition is not polled until there are
/// fewer; of ranges that do not fit into the 4'096 bytes of a commit all the same, the last are not kept.
/// docs/recipes/parallel_consumer.md has the whole of it.
///
/// A failure of the handler, decided:
///   - retry: the record comes again after `ParallelConsumerOptions::backoff`; what follows it in its order
///     waits for it, and nothing else does.
///   - skip: the record counts as handled.
///   - stop: the handlers that run end, all that is finished is committed, and `wait` returns the error. The
///     record comes again to the next member.
///
/// @code
///   auto orders = ParallelConsumer::open(
///       engine, {.group_id = "billing", .topics = {"orders"}, .workers = 8},
///       [](const RecordView& order) { return bill(order); }).value();
///   orders.start().value();
/// @endcode
///
/// Threads: any.
class SERIATIM_API ParallelConsumer {
 public:
  /// Begins nothing.
  /// Errors: invalid_argument (an option out of range, no handler).
  static Result<ParallelConsumer> open(const Engine& engine, ParallelConsumerOptions options,
                                       ParallelHandler handler);

  ParallelConsumer(ParallelConsumer&&) noexcept;
  ParallelConsumer& operator=(ParallelConsumer&&) noexcept;
  /// `stop_now`, and waits until each handler has returned, however long that takes: a thread cannot be
  /// ended, and what it uses must not go. Not within the handler.
  ~ParallelConsumer();

  /// Joins the group, and begins the workers and a thread that polls.
  /// Errors: invalid_state: begun before. closed: it has ended. As Engine::consumer and Consumer::subscribe;
  /// out_of_memory, where the system gives no thread: nothing runs then, and it can be called again.
  Result<> start();
  /// `start`, but polls in the caller's thread, until `stop` or a failure has ended it.
  /// Errors: as `start` and `wait`.
  Result<> run();

  /// Ends it when all records that have been polled are handled and committed. Not waited for, and coming
  /// again, are a record that waits for a retry or fails then, and those behind it in its order. Returns at
  /// once; within the handler, too.
  void stop() noexcept;
  /// The same, but the queued records are dropped: only the handlers that run are waited for.
  void stop_now() noexcept;
  /// Waits until it has ended, after `stop` or a failure. It has left the group then.
  /// Errors: the first failure. timed_out: a handler has not returned `stop_timeout` after `stop`; the
  /// message names its record. All that was finished is committed, and the record comes again. The destructor
  /// waits for that handler. invalid_state: within the handler.
  Result<> wait();

  ParallelStatus status() const;

 private:
  explicit ParallelConsumer(std::unique_ptr<detail::ParallelConsumerImpl> impl) noexcept;
  std::unique_ptr<detail::ParallelConsumerImpl> impl_;
};

}  // namespace v0
}  // namespace seriatim
